// A short cut: the page goes on where it was, and no history comes again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { road } from '../npm/support/cuts.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { figureIs, live } from './support/overview.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('after a cut the page gets what it missed and no history', async (t) => {
  const gateway = await startGateway({ flags: ['--no-host-metrics'] });
  t.after(() => gateway.stop());
  const way = await road(gateway.url);
  t.after(() => way.close());
  const { page, context, watch } = await openPage(browser, { allowed: [way.url] });
  // While the road is cut each attempt is a network error that no page can prevent.
  watch.expect(/WebSocket connection to .* failed|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED/);
  const [subscribed, heard] = [[], []];
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      const frame = JSON.parse(payload);
      if (frame.type === 'subscribe') subscribed.push(frame);
    });
    socket.on('framereceived', ({ payload }) => {
      if (typeof payload === 'string') heard.push(JSON.parse(payload).type);
    });
  });
  await page.goto(way.url);
  await live(page);
  await gateway.ingest([{ name: 'booking_response_time', value: 100 }, { name: 'booking_response_time', value: 200 }]);
  await figureIs(page, 'booking-response-time', (text) => /^150\s?ms$/.test(text), '150 ms');
  way.cut();
  await page.locator('[data-connection]', { hasText: /Reconnecting (in \d+\ss|now)/ }).waitFor();
  await gateway.ingest([{ name: 'booking_response_time', value: 240 }]);
  way.mend();
  await live(page);
  await figureIs(page, 'booking-response-time', (text) => /^180\s?ms$/.test(text), '180 ms');
  assert.deepEqual(subscribed.map(({ resume }) => resume !== undefined), [false, true]);
  assert.ok(!heard.includes('gap'), heard.join());
  watch.check();
  await context.close();
});
