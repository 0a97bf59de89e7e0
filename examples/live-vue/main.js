import { connect } from 'bellwether/live';
import { createApp, h, onUnmounted, ref } from 'vue';

/** A figure that follows the feed, null where there is none, and where the feed stands. */
function useLive(url, query) {
  const [figure, state] = [ref(null), ref('connecting')];
  const live = connect(url, { subscribe: [{ name: query.name, range: query.window }] });
  live.on('update', () => { figure.value = live.query(query)?.result ?? null; });
  live.on('status', (status) => { state.value = status.state; });
  onUnmounted(() => live.close());
  return { figure, state };
}

const Booking = {
  setup() {
    const { figure, state } = useLive('http://127.0.0.1:4000', { name: 'booking_response_time', window: '5m', agg: 'p99' });
    const words = () => (figure.value === null ? 'no booking yet' : `${figure.value.toFixed(0)} ms`);
    return () => h('p', ['99 of 100 bookings are answered within ', h('output', { id: 'p99' }, words()), ' ', h('small', { id: 'state', role: 'status' }, state.value)]);
  },
};

createApp(Booking).mount('#app');
