//! The Yew page of Bellwether.
