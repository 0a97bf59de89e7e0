import { figure } from './figure.js';

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data: text }) => {
  document.querySelector('#worker').textContent = text;
};
document.querySelector('#page').textContent = await figure();
