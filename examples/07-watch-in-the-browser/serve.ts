// Serves the page from an origin of its own.
import { join } from 'node:path';
import express from 'express';

const app = express();
app.get('/', (_request, response) => response.sendFile(join(import.meta.dirname, 'index.html')));

const server = app.listen(Number(process.env.PORT ?? 8007), '127.0.0.1').on('listening', () => console.log('ready'));
process.on('SIGINT', () => server.close().closeAllConnections()); // browsers keep connections open
