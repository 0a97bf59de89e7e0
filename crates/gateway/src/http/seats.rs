//! How many live connections there are, in all and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most live connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// In all, which bounds the memory of their queues.
    pub(crate) in_all: usize,
    /// Of one address; an office is one address. Loopback is exempt: a proxy on this machine speaks for
    /// everybody.
    pub(crate) of_address: usize,
    /// Of one person who signed in or whom a proxy names.
    pub(crate) of_user: usize,
}

/// Hands out seats; clones hand out the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    room: Room,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: usize,
    by_address: HashMap<IpAddr, usize>,
    by_user: HashMap<Arc<str>, usize>,
}

/// Room for one live connection, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Seats,
    address: IpAddr,
    user: Option<Arc<str>>,
}

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoSeat {
    #[error("{most} live connections of this address are open already; close one of them first")]
    OfAddress { most: usize },
    #[error("{most} live connections of this user are open already; close one of them first")]
    OfUser { most: usize },
    #[error("{most} live connections are open already; try again later")]
    InAll { most: usize },
}

impl Seats {
    /// As many free seats as there is room.
    pub(crate) fn new(room: Room) -> Self {
        Self { room, taken: Arc::default() }
    }

    /// A seat for a connection from `address`, of `user` where one is known.
    ///
    /// # Errors
    /// [`NoSeat`] where all are taken.
    pub(crate) fn take(&self, address: IpAddr, user: Option<&Arc<str>>) -> Result<Seat, NoSeat> {
        let address = counted_as(address);
        let mut taken = self.taken();
        if taken.in_all >= self.room.in_all {
            return Err(NoSeat::InAll { most: self.room.in_all });
        }
        let of_user = user.and_then(|user| taken.by_user.get(user)).copied().unwrap_or(0);
        if of_user >= self.room.of_user {
            return Err(NoSeat::OfUser { most: self.room.of_user });
        }
        let of_address = taken.by_address.entry(address).or_default();
        if *of_address >= self.room.of_address && !address.is_loopback() {
            return Err(NoSeat::OfAddress { most: self.room.of_address });
        }
        *of_address += 1;
        taken.in_all += 1;
        if let Some(user) = user {
            *taken.by_user.entry(Arc::clone(user)).or_default() += 1;
        }
        drop(taken);
        Ok(Seat { seats: self.clone(), address, user: user.cloned() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.in_all -= 1;
        if let Some(of_address) = taken.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                taken.by_address.remove(&self.address);
            }
        }
        let user = self.user.as_ref();
        if let Some((user, of_user)) = user.and_then(|user| Some((user, taken.by_user.get_mut(user)?))) {
            *of_user -= 1;
            if *of_user == 0 {
                taken.by_user.remove(user);
            }
        }
    }
}

/// The address under which the connections of `address` are counted. Of IPv6 it is the network of 64
/// bits: a single machine has all addresses of one.
pub(super) fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { in_all: 50, of_address: 10, of_user: 3 };

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_seats_and_leaves_the_others_theirs() {
        let seats = Seats::new(ROOM);
        let mut taken: Vec<_> = (0..ROOM.of_address).map(|_| seats.take(address("192.0.2.1"), None).unwrap()).collect();
        assert_eq!(seats.take(address("192.0.2.1"), None).err(), Some(NoSeat::OfAddress { most: 10 }));
        assert_eq!(seats.take(address("::ffff:192.0.2.1"), None).err(), Some(NoSeat::OfAddress { most: 10 }));
        assert!(seats.take(address("192.0.2.2"), None).is_ok());
        taken.pop();
        assert!(seats.take(address("192.0.2.1"), None).is_ok(), "a seat that was given back is free");
        drop(taken);
        assert!(seats.taken().by_address.is_empty() && seats.taken().in_all == 0, "nobody is remembered");
    }

    #[test]
    fn a_network_of_one_machine_is_one_address() {
        let seats = Seats::new(ROOM);
        let own = |number: usize| address(&format!("2001:db8::{number:x}"));
        let _taken: Vec<_> = (0..ROOM.of_address).map(|number| seats.take(own(number), None).unwrap()).collect();
        assert_eq!(seats.take(own(ROOM.of_address), None).err(), Some(NoSeat::OfAddress { most: 10 }));
        assert!(seats.take(address("2001:db8:0:1::1"), None).is_ok());
    }

    #[test]
    fn this_machine_has_as_many_as_there_are_in_all() {
        let seats = Seats::new(ROOM);
        let _taken: Vec<_> = (0..ROOM.in_all).map(|_| seats.take(address("127.0.0.1"), None).unwrap()).collect();
        assert_eq!(seats.take(address("::1"), None).err(), Some(NoSeat::InAll { most: 50 }));
        assert_eq!(seats.take(address("192.0.2.1"), None).err(), Some(NoSeat::InAll { most: 50 }));
    }

    #[test]
    fn a_person_has_so_many_wherever_they_sit() {
        let seats = Seats::new(ROOM);
        let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
        let taken: Vec<_> = (0..3).map(|n| seats.take(IpAddr::from([192, 0, 2, n]), Some(&ann)).unwrap()).collect();
        assert_eq!(seats.take(address("192.0.2.9"), Some(&ann)).err(), Some(NoSeat::OfUser { most: 3 }));
        assert!(seats.take(address("192.0.2.9"), Some(&bob)).is_ok());
        drop(taken);
        assert!(seats.take(address("192.0.2.9"), Some(&ann)).is_ok());
        assert!(seats.taken().by_user.is_empty(), "nobody is remembered");
    }
}
