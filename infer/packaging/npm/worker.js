// The engine in a browser's worker.
import { serveRequests } from './requests.js';
import { makeRequests, saidOf, transfersOf } from './sessions.js';

serveRequests({ port: globalThis, requests: makeRequests(), errorOf: saidOf, transfersOf });
