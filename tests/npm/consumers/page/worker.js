import { figure } from './figure.js';

postMessage(await figure());
