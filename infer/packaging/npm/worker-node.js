// The engine in a thread of Node.
import { parentPort } from 'node:worker_threads';
import { serveRequests } from './requests.js';
import { makeRequests, saidOf, transfersOf } from './sessions.js';

serveRequests({ port: parentPort, requests: makeRequests(), errorOf: saidOf, transfersOf });
