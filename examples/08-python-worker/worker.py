"""Two handlers, and the worker that runs them."""
import math
import time

from offload_worker import PermanentError, Worker


def count(payload, context):
    """Counts words, one after the other: slow work."""
    words = payload['text'].split()
    if not words:
        raise PermanentError('there is no word in it')
    for number in range(1, len(words) + 1):
        if context.sleep(payload['pauseMs'] / 1_000):
            raise InterruptedError('told to stop')
        context.progress(100 * number // len(words), f'{number} of {len(words)} words')
    return {'words': len(words)}


def sleep(payload, context):
    """The `demo.sleep` of Offload, in Python: what a worker runs to show that it keeps the protocol."""
    seconds, started = payload['seconds'], time.monotonic()
    for second in range(1, math.ceil(seconds) + 1):
        if context.sleep(min(second, seconds) - (time.monotonic() - started)):
            raise InterruptedError('told to stop')
        if second < seconds:
            context.progress(100 * second // seconds, f'{second} of {seconds} s')
    return {'sleptMs': round((time.monotonic() - started) * 1_000)}


# Of each type its version, and the handler.
HANDLERS = {'text.count': (1, count), 'demo.sleep': (1, sleep)}

text = {'type': 'string', 'maxLength': 100_000}
pause_ms = {'type': 'integer', 'minimum': 0, 'maximum': 10_000, 'default': 0, 'description': 'Before each word.'}
# What the api is to know of a type. Offload's own worker has registered demo.sleep.
TYPES = {
    'text.count': {
        'description': 'Counts the words of a text.',
        'queue': 'default',
        'timeoutMs': 60_000,
        'payloadSchema': {
            'type': 'object',
            'properties': {'text': text, 'pauseMs': pause_ms},
            'required': ['text'],
            'additionalProperties': False,
        },
        'resultSchema': {'type': 'object', 'properties': {'words': {'type': 'integer'}}, 'required': ['words']},
    }
}

if __name__ == '__main__':
    Worker(HANDLERS, TYPES).run()
