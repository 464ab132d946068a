// The registry: one line for each topic. The page orders them by their documents.
import type { Row } from '../row.ts';
import { access } from './access.ts';
import { browsers } from './browsers.ts';
import { caching } from './caching.ts';
import { conditions } from './conditions.ts';
import { connections } from './connections.ts';
import { fields } from './fields.ts';
import { framing } from './framing.ts';
import { idempotency } from './idempotency.ts';
import { json } from './json.ts';
import { limits } from './limits.ts';
import { lists } from './lists.ts';
import { messages } from './messages.ts';
import { methods } from './methods.ts';
import { outcomes } from './outcomes.ts';
import { preferences } from './preferences.ts';
import { problemDetails } from './problems.ts';
import { representations } from './representations.ts';
import { service } from './service.ts';
import { statuses } from './statuses.ts';
import { structuredFields } from './structured-fields.ts';
import { submission } from './submission.ts';
import { timesAndIds } from './times-and-ids.ts';
import { tracing } from './tracing.ts';
import { webhooks } from './webhooks.ts';
import { workers } from './workers.ts';

/** Every rule of the table. */
export const rows: readonly Row[] = [
  ...methods,
  ...fields,
  ...statuses,
  ...representations,
  ...conditions,
  ...caching,
  ...messages,
  ...framing,
  ...connections,
  ...problemDetails,
  ...json,
  ...timesAndIds,
  ...preferences,
  ...idempotency,
  ...structuredFields,
  ...access,
  ...browsers,
  ...limits,
  ...tracing,
  ...submission,
  ...lists,
  ...outcomes,
  ...webhooks,
  ...workers,
  ...service,
];
