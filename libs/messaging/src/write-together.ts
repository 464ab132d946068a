import type { Socket } from 'node:net';

/**
 * Has what is written to a socket in one turn of the event loop go out in one system call. amqplib writes each message by
 * itself, and a call for each is most of what a small message costs.
 */
export function writeTogether(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let gathering = false;

  function flush(): void {
    gathering = false;
    socket.uncork();
  }

  socket.write = (...args: unknown[]): boolean => {
    if (!gathering) {
      gathering = true;
      socket.cork();
      process.nextTick(flush);
    }
    return write(...args);
  };
}

/**
 * Resolves when what was published before, in this turn of the event loop, has gone out, if the broker takes it: amqplib hands
 * messages to the socket in a `setImmediate` that it asks for in a `process.nextTick`, and so does this, behind it.
 */
export function whenWritten(): Promise<void> {
  return new Promise((resolve) => process.nextTick(setImmediate, resolve));
}
