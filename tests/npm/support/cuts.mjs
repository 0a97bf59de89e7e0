// A road to the real gateway that can be cut.
import net from 'node:net';

/** A port that leads to the gateway at `url`. */
export async function road(url) {
  const { hostname, port } = new URL(url);
  const sockets = new Set();
  let open = true;
  const server = net.createServer((here) => {
    if (!open) return here.destroy();
    const there = net.connect(Number(port), hostname);
    for (const [one, other] of [[here, there], [there, here]]) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Cuts all that goes over it; nothing comes through until `mend()`. */
    cut() {
      open = false;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      open = true;
    },
    close() {
      open = false;
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
