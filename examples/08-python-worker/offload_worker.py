"""What makes a Python program a worker of Offload: to copy. It needs pika, and otherwise the standard library.

AMQP is the lease: a job is ours while the delivery of its dispatch message is unacknowledged. HTTP is the state: the api says whose
the attempt is, and stores how it ended. See "A worker in another language" in docs/http-api.md.

The main thread speaks AMQP. Each delivery has a thread, which claims its job and settles it, and each run of a handler
another, which can be left behind when it does not stop.
"""
import http.client
import json
import math
import os
import random
import signal
import socket
import sys
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import uuid

try:
    import pika
    import pika.exceptions
except ModuleNotFoundError:
    raise SystemExit(f"""{sys.executable} has no pika, the client of RabbitMQ. Install it:
  {sys.executable} -m pip install pika
or on Debian and Ubuntu, where the worker is then to be run with /usr/bin/python3:
  apt install python3-pika""") from None

HOLDINGS_SECONDS = 10  # how often to say which jobs are here: after 30 without that they are given to another worker
PROGRESS_SECONDS = 0.25
LATER_SECONDS = 1  # before the dispatch message of a job that another worker may hold goes back
ABANDON_SECONDS = 2  # for a handler to stop when it is told
LAST_SECONDS = 4  # after the grace of a worker that stops: for its handlers to stop, and for what came of them to be stored
UNKNOWN_TYPE_MS = 5_000  # before another worker is offered a job that we can't run


class PermanentError(Exception):
    """Thrown by a handler: no other attempt can mend it."""


class GaveUp(Exception):
    """There was no answer, and none is wanted any more: the broker has the dispatch message back, say."""


class Job:
    """One dispatch message that is here, and the run of its job."""

    def __init__(self, job_id):
        self.id = job_id
        self.attempt = None  # until it is claimed
        self.stop = threading.Event()  # the handler is to stop
        self.done = threading.Event()  # the handler has ended
        self.changed = threading.Event()  # one of both
        self.reason = None  # why it is to stop
        self.outcome = None  # what the handler said

    def stop_for(self, reason):
        if self.reason is None or reason == 'lost':
            self.reason = reason
        self.stop.set()
        self.changed.set()


class Context:
    """What a handler gets beside its payload."""

    def __init__(self, job, api):
        self._job, self._api = job, api
        self.job_id, self.attempt = job.id, job.attempt
        self._not_before = 0

    def sleep(self, seconds):
        """Returns True at once when the run is to stop."""
        return self._job.stop.wait(max(0, seconds))

    def progress(self, percent, message=None):
        """Tells watchers, four times a second at most. What is not told, the next one makes up for."""
        if time.monotonic() < self._not_before:
            return
        self._not_before = time.monotonic() + PROGRESS_SECONDS
        path = f'/v1/jobs/{self.job_id}/attempts/{self.attempt}/progress'
        try:
            status, _ = self._api.once('PUT', path, {'percent': percent, 'message': message})
        except OSError:
            return
        if status == 409:
            self._job.stop_for('fenced')


class Api:
    """The calls of a worker."""

    def __init__(self, url, key=None):
        self.url = url
        self.headers = {'Content-Type': 'application/json'}
        if key:
            self.headers['Authorization'] = f'Bearer {key}'

    def once(self, method, path, body=None, timeout=10):
        """Raises OSError where the api does not answer, or not to the end."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self.headers, method=method)
        try:
            try:
                with urllib.request.urlopen(request, timeout=timeout) as response:
                    status, text = response.status, response.read()
            except urllib.error.HTTPError as error:
                status, text = error.code, error.read()
            return status, json.loads(text) if text else None
        except (http.client.HTTPException, ValueError) as error:
            raise ConnectionError(f'{method} {path}: {error!r}') from error

    def call(self, method, path, body, is_over):
        """Tries until the api answers. Raises GaveUp when it is over before."""
        pause = 0.05
        while not is_over():
            try:
                status, answer = self.once(method, path, body)
                if status not in (408, 429) and status < 500:
                    return status, answer
            except OSError:
                pass  # it is away
            time.sleep(random.random() * pause)
            pause = min(2, 2 * pause)
        raise GaveUp


class Worker:
    """Runs the jobs of its queues until SIGTERM, SIGINT, or an operator who drains it. `handlers` is by type."""

    def __init__(self, handlers, types=None, environ=os.environ):
        self.handlers = handlers  # { type: (version, function of payload and context) }
        self.types = types or {}  # { type: registration }: what the api is to know of them
        self.amqp_url = environ.get('AMQP_URL', 'amqp://127.0.0.1')
        self.api = Api(environ.get('API_URL', 'http://127.0.0.1:3000'), environ.get('API_KEY'))
        self.queues = environ.get('QUEUES', 'default').split(',')
        self.concurrency = int(environ.get('WORKER_CONCURRENCY', '4'))
        self.grace = int(environ.get('SHUTDOWN_GRACE_MS', '10000')) / 1_000
        self.instance = environ.get('INSTANCE', f'python-{socket.gethostname()}-{os.getpid()}')
        self.path = f'/v1/workers/{urllib.parse.quote(self.instance, safe="")}'
        self.jobs = set()  # whose dispatch messages are here
        # No Event: a signal handler must take no lock, since what it has interrupted may hold that.
        self.stopping = False  # no new jobs
        self.until = math.inf  # when running jobs are to be given back
        self.connection = None

    # The process

    def run(self):
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self.end())
        try:
            self.register()
        except GaveUp:
            return  # it never began
        threading.Thread(target=self.tell_holdings, daemon=True).start()
        while not self.stopping:
            try:
                self.consume()
            except (pika.exceptions.AMQPError, OSError) as error:
                print(f'lost RabbitMQ: {error!r}', flush=True)
            self.disconnect()
            if not self.stopping:
                time.sleep(random.random() * 2)
        try:
            self.api.once('DELETE', self.path, timeout=2)
        except OSError:
            pass  # it is taken for gone after 30 seconds

    def end(self):
        """Takes no new jobs; those that run have the grace."""
        self.until = min(self.until, time.monotonic() + self.grace)
        self.stopping = True

    def register(self):
        def put(path, body):
            return self.api.call('PUT', path, body, lambda: self.stopping)

        for name, registration in self.types.items():
            status, answer = put(f'/v1/job-types/{name}', registration)
            if status not in (200, 201):
                raise SystemExit(f'{name} is not registered: {detail_of(status, answer)}')
        versions = {name: version for name, (version, _) in self.handlers.items()}
        put(self.path, {'queues': self.queues, 'slots': self.concurrency, 'types': versions})

    def tell_holdings(self):
        while True:
            time.sleep(HOLDINGS_SECONDS)
            jobs = list(self.jobs)
            holdings = [{'jobId': job.id, 'attempt': job.attempt} for job in jobs if job.id]
            try:
                status, answer = self.api.once('PUT', f'{self.path}/holdings', holdings)
            except OSError:
                continue  # it is away; there is time for three
            if status != 200:
                continue
            for job in jobs:
                if job.id in answer['cancel']:
                    job.stop_for('cancelled')
            if answer['drain']:
                self.stopping = True  # with all the time that its jobs need

    # AMQP: the lease

    def consume(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(self.amqp_url))
        channel = self.connection.channel()
        channel.basic_qos(prefetch_count=self.concurrency)
        tags = [channel.basic_consume(f'jobs.{queue}', self.on_dispatch) for queue in self.queues]
        print('waiting for jobs', flush=True)
        while not self.stopping:
            self.connection.process_data_events(time_limit=0.2)
            if not channel.consumer_tags:
                raise pika.exceptions.ConsumerCancelled('a queue was deleted')
        for tag in tags:
            channel.basic_cancel(tag)
        while self.jobs and time.monotonic() < self.until + LAST_SECONDS:
            self.connection.process_data_events(time_limit=0.1)
            if time.monotonic() > self.until:
                self.stop_all('stopping')
        self.connection.process_data_events(time_limit=0)

    def disconnect(self):
        """The broker gives to others what is still here."""
        self.stop_all('lost')
        self.jobs.clear()
        try:
            if self.connection and self.connection.is_open:
                self.connection.close()
        except pika.exceptions.AMQPError:
            pass  # it is gone

    def on_dispatch(self, channel, method, properties, body):
        job = Job(id_in(body))
        self.jobs.add(job)
        given = (job, self.connection, channel, method, properties)
        threading.Thread(target=self.answer, args=given, daemon=True).start()

    def answer(self, job, connection, channel, method, properties):
        """One delivery, from claim to acknowledgement."""
        try:
            verdict = self.deliver(job, method, properties) if job.id else 'reject'
        except GaveUp:
            return
        except Exception:  # an unexpected fault: another worker may succeed
            traceback.print_exc()
            time.sleep(LATER_SECONDS)
            verdict = 'later'

        def say():
            tag = method.delivery_tag
            if not channel.is_open:
                pass  # the broker has it back
            elif verdict == 'ack':
                channel.basic_ack(tag)
            elif verdict == 'requeue':
                channel.basic_nack(tag, requeue=True)
            else:
                channel.basic_reject(tag, requeue=verdict == 'later')
            self.jobs.discard(job)

        try:
            connection.add_callback_threadsafe(say)
        except pika.exceptions.ConnectionWrongStateError:
            pass  # the broker has it back

    def stop_all(self, reason):
        for job in list(self.jobs):
            job.stop_for(reason)

    # HTTP: the state

    def deliver(self, job, method, properties):
        """Claims, runs and settles. Returns what to say to the broker."""
        if self.stopping:
            return 'requeue'
        headers = properties.headers or {}
        claim = {
            'jobId': job.id,
            'dispatchId': properties.message_id,
            'redelivered': method.redelivered,
            'deliveryCount': headers.get('x-acquired-count', headers.get('x-delivery-count', 0)),
            'claimId': str(uuid.uuid4()),
            'holder': self.instance,
        }
        status, claimed = self.api.call('POST', '/v1/claims', claim, lambda: job.reason == 'lost')
        if status == 410:
            return 'ack'
        if status == 400:
            return 'reject'
        if status != 200:
            time.sleep(LATER_SECONDS)
            return 'later'
        job.attempt = claimed['attempt']
        outcome = self.attempt(job, claimed)
        if job.reason in ('lost', 'fenced'):
            return 'requeue'
        verdict = self.settle(job, outcome)
        print(f'{claimed["job"]["type"]} {job.id}, attempt {job.attempt}: {outcome["status"]}', flush=True)
        return verdict

    def attempt(self, job, claimed):
        """Runs the handler, and says how that ended."""
        version, handler = self.handlers.get(claimed['job']['type'], (0, None))
        if version < claimed['typeVersion']:
            return {'status': 'scheduled', 'delayMs': UNKNOWN_TYPE_MS}
        context = Context(job, self.api)
        given = (job, handler, claimed['job']['payload'], context)
        threading.Thread(target=self.handle, args=given, daemon=True).start()
        timeout_ms = claimed['timeoutMs']
        if not job.changed.wait(timeout_ms / 1_000):
            job.stop_for('timeout')
        job.done.wait(ABANDON_SECONDS)
        if job.reason == 'cancelled':
            return {'status': 'cancelled'}
        if job.reason == 'timeout':
            return {'status': 'scheduled', 'error': {'code': 'timeout', 'message': f'took longer than {timeout_ms} ms'}}
        if job.reason == 'stopping' and (job.outcome is None or job.outcome['status'] != 'succeeded'):
            return {'status': 'queued'}
        return job.outcome

    def handle(self, job, handler, payload, context):
        try:
            job.outcome = success(handler(payload, context))
        except PermanentError as error:
            job.outcome = failure('failed', 'permanent', error)
        except Exception as error:
            job.outcome = failure('scheduled', 'handler-error', error)
        job.done.set()
        job.changed.set()

    def settle(self, job, outcome):
        """Only what is stored is acknowledged."""
        def put(outcome):
            path = f'/v1/jobs/{job.id}/attempts/{job.attempt}/outcome'
            return self.api.call('PUT', path, outcome, lambda: job.reason == 'lost')

        status, answer = put(outcome)
        if status not in (200, 409):  # it can't be stored, now or ever
            code = 'invalid-result' if status == 400 else 'outcome-not-stored'
            status, _ = put({'status': 'failed', 'error': {'code': code, 'message': detail_of(status, answer)}})
        return 'ack' if status == 200 and outcome['status'] != 'queued' else 'requeue'


def id_in(body):
    """The job that a dispatch message is about; None where it is no dispatch message."""
    try:
        return json.loads(body)['jobId']
    except (ValueError, TypeError, KeyError):
        return None


def detail_of(status, answer):
    """What a problem of the api says; another program on the way may answer otherwise."""
    return answer['detail'] if isinstance(answer, dict) and 'detail' in answer else f'the api answers {status}'


def success(result):
    """A result that can't be written as JSON fails the job for good, as one does that the api refuses."""
    try:
        json.dumps(result, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return failure('failed', 'invalid-result', error)
    return {'status': 'succeeded', 'result': result}


def failure(status, code, error):
    return {'status': status, 'error': {'code': code, 'message': str(error), 'stack': traceback.format_exc()}}
