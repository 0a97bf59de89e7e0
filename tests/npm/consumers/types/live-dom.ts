// Compiled, never run: the platform's own WebSocket is one that the live client takes.
import { connect, type LiveWebSocketClass } from 'bellwether/live';

export const live = connect('http://127.0.0.1:4000', { subscribe: [], WebSocket });
export const given: LiveWebSocketClass = WebSocket;
