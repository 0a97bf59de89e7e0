import { bookSlot, getStats } from './bookingService.js';

await getStats();
await bookSlot({}, { send: (body) => console.log(JSON.stringify(body)) });
// It is on its way for a second at the most.
while (!String(await (await fetch(`${process.env.BELLWETHER_URL}/query?name=booking_response_time&window=5m&agg=count`)).text()).includes('"count":1'));
await getStats();
