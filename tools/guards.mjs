const settle = 'libs/database/src/transitions/settle-jobs.ts';
/**
 * Guards of Offload's promises. Each has the scenario of the fault suite that fails without it, and the edits that
 * remove the guard.
 */
export const guards = [
  {
    guard: 'the fence: only the attempt that holds the job may finish it',
    scenario: 'thawed',
    edits: [
      [settle, 'where id = input.id and attempt = input.attempt and', 'where id = input.id and'],
      [settle, 'and job.attempt = outcome.attempt and', 'and'],
      [settle, '`${row.id} ${row.attempt}`, row', 'row.id, row'],
      [settle, 'return `${jobId.toLowerCase()} ${attempt}`', 'return `${jobId.toLowerCase()}`'],
    ],
  },
  {
    guard: 'the outbox: dispatch messages that were not sent stay pending',
    scenario: 'api',
    edits: [['apps/api/src/loops/relay.ts', 'await database.outbox.takeDue(BATCH, GRACE_MS)', '[]']],
  },
  {
    guard: 'reconcile: dispatch messages that the broker lost are pending again',
    scenario: 'wiped',
    edits: [
      [
        'libs/database/src/transitions/lost-dispatches.ts',
        "from jobs where status = 'queued' and queue = $1",
        'from jobs where false',
      ],
    ],
  },
  {
    guard: 'the refresh: browsers get the events that they have missed',
    scenario: 'browsers',
    edits: [['apps/notifier/src/browsers/refresh.ts', '    await refreshWatched(parts);\n', '']],
  },
  {
    guard: 'the lease: another notifier sends the webhooks of a killed one',
    scenario: 'webhooks',
    edits: [['apps/notifier/src/webhooks/deliver-webhooks.ts', 'timeoutMs + LEASE_SLACK_MS', '3_600_000']],
  },
  {
    guard: 'the end of a receiver: after a 410 it gets no webhook',
    scenario: 'webhooks',
    edits: [
      [
        'apps/notifier/src/webhooks/deliver-webhooks.ts',
        "if (answer.kind === 'gone') await webhooks.endReceiver(taken);",
        '',
      ],
    ],
  },
];
