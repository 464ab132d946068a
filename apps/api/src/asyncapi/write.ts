// `npm run asyncapi`: writes the messages' contract beside the api; a test fails when the two differ.
import { writeFileSync } from 'node:fs';
import { asyncApiDocument } from './document.ts';

writeFileSync(new URL('../../asyncapi.json', import.meta.url), `${JSON.stringify(asyncApiDocument(), null, 2)}\n`);
