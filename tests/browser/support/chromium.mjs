// The system's Chromium, and a page that keeps watch over its console and its requests.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** One headless browser for a test file. */
export function launch() {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * A new page in a context of its own.
 *
 * `watch.check()` fails where the page wrote a warning or an error to its console, threw, broke the
 * Content Security Policy, or asked anything of a site outside `allowed` origins.
 */
export async function openPage(browser, { allowed, viewport = { width: 1440, height: 900 }, ...options }) {
  const context = await browser.newContext({ viewport, locale: 'en-GB', ...options });
  const page = await context.newPage();
  const complaints = [];
  const expected = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  const asked = (address) => {
    const url = new URL(address);
    if (!['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)) return;
    const origin = url.origin.replace(/^ws/, 'http');
    if (!allowed.includes(origin)) complaints.push(`outside: ${address}`);
  };
  page.on('request', (request) => asked(request.url()));
  page.on('websocket', (socket) => asked(socket.url()));
  const watch = {
    /** From now on a complaint that matches `pattern` is part of the test's plan. */
    expect: (pattern) => expected.push(pattern),
    check: () => assert.deepEqual(complaints.filter((line) => !expected.some((pattern) => pattern.test(line))), []),
  };
  return { page, context, watch };
}
