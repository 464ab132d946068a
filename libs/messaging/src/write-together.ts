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
