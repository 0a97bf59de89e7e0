const { BellwetherError, Engine, init } = require('bellwether');

init().then(() => {
  const engine = new Engine();
  engine.record('booking_response_time', 120);
  engine.record('booking_response_time', 140);
  const { result } = engine.query({ name: 'booking_response_time', window: '5m', agg: 'avg' });
  console.log(JSON.stringify({ result, error: new BellwetherError('code', 'text') instanceof Error }));
});
