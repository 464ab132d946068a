import amqp from 'amqplib';

/**
 * Parses the URL of a broker and adds a heartbeat of 10 seconds if it names none.
 *
 * @throws TypeError when it is no AMQP URL, or its percent-encoding is wrong
 */
export function parseBrokerUrl(given: string) {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (!url || !/^amqps?:$/.test(url.protocol)) {
    throw new TypeError('the URL of a broker must be a valid one that begins with amqp: or amqps:');
  }
  const heartbeat = url.searchParams.get('heartbeat') ?? '10';
  if (!/^\d{1,5}$/.test(heartbeat)) throw new TypeError('heartbeat in the URL of a broker must be a number of seconds');
  url.searchParams.set('heartbeat', heartbeat);
  const vhost = JSON.stringify(decodeURIComponent(url.pathname.slice(1)) || '/');
  return { url: url.href, credentials: credentialsOf(url), vhost };
}

/** amqplib itself decodes a URL's percent-encoding as Latin-1, not as UTF-8. */
function credentialsOf({ username, password }: URL): ReturnType<typeof amqp.credentials.plain> {
  if (username === '' && password === '') return amqp.credentials.plain('guest', 'guest'); // RabbitMQ's default
  try {
    return amqp.credentials.plain(decodeURIComponent(username), decodeURIComponent(password));
  } catch {
    throw new TypeError('user and password in the URL of a broker must be percent-encoded UTF-8');
  }
}
