// How long a web server takes to answer, for Express and Fastify.
import type { Labels } from '../index.js';

/** What records the durations: a collector, or anything like it. */
export interface Recorder {
  recordMetric(name: string, value: number, labels?: Labels, options?: { unit?: string }): void;
}

const NAME = 'http_server_request_duration_seconds';

/** The part of an Express request that is looked at. */
export interface ExpressRequest {
  method: string;
  baseUrl?: string;
  route?: { path?: unknown };
}

/** The part of an Express response that is looked at. */
export interface ExpressResponse {
  statusCode: number;
  once(event: 'close', then: () => void): unknown;
}

/**
 * Middleware for Express (4 and 5) and Connect: records each request's duration as
 * `http_server_request_duration_seconds` with the labels `method`, `route` (the pattern, such as `/book/:id`; what no
 * route matched is `unmatched`) and `status`. Put it before the routes.
 *
 * @example
 * app.use(expressRequests(collector));
 */
export function expressRequests(collector: Recorder) {
  return (request: ExpressRequest, response: ExpressResponse, next: () => void): void => {
    const start = performance.now();
    response.once('close', () => {
      const path = request.route?.path;
      const route = path === undefined ? 'unmatched' : `${request.baseUrl ?? ''}${String(path)}`;
      record(collector, performance.now() - start, request.method, route, response.statusCode);
    });
    next();
  };
}

/** The part of a Fastify request that is looked at. */
export interface FastifyRequest {
  method: string;
  routeOptions?: { url?: string | undefined };
}

/** The part of a Fastify reply that is looked at. */
export interface FastifyReply {
  statusCode: number;
  elapsedTime: number;
}

/**
 * A hook for Fastify (4.10 and later): the same as {@link expressRequests} records.
 *
 * @example
 * app.addHook('onResponse', fastifyRequests(collector));
 */
export function fastifyRequests(collector: Recorder) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    record(collector, reply.elapsedTime, request.method, request.routeOptions?.url ?? 'unmatched', reply.statusCode);
    done();
  };
}

function record(collector: Recorder, ms: number, method: string, route: string, status: number) {
  collector.recordMetric(NAME, ms / 1_000, { method, route, status: String(status) }, { unit: 's' });
}
