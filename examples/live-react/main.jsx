import { connect } from 'bellwether/live';
import { useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';

const live = connect('http://127.0.0.1:4000', { subscribe: [{ name: 'booking_response_time', range: '5m' }] });

/** A figure that follows the feed; null where there is none. */
function useFigure(query) {
  return useSyncExternalStore((changed) => live.on('update', changed), () => live.query(query)?.result ?? null);
}

function useStanding() {
  return useSyncExternalStore((changed) => live.on('status', changed), () => live.status.state);
}

function Booking() {
  const p99 = useFigure({ name: 'booking_response_time', window: '5m', agg: 'p99' });
  return (
    <p>
      99 of 100 bookings are answered within <output id="p99">{p99 === null ? 'no booking yet' : `${p99.toFixed(0)} ms`}</output>{' '}
      <small id="state" role="status">{useStanding()}</small>
    </p>
  );
}

createRoot(document.querySelector('#app')).render(<Booking />);
