// Compiled, never run: the middleware fits the web frameworks' own types.
import express from 'express';
import fastify from 'fastify';
import { createCollector, expressRequests, fastifyRequests } from 'bellwether/collector';

const collector = createCollector({ url: 'http://127.0.0.1:4000' });
const app = express();
app.use(expressRequests(collector));
app.use('/book', expressRequests(collector));
const server = fastify();
server.addHook('onResponse', fastifyRequests(collector));
// @ts-expect-error it is no hook of another moment
server.addHook('onReady', fastifyRequests(collector));
