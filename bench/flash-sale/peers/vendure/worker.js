import { bootstrapWorker } from '@vendure/core';
import { config } from './config.js';

const worker = await bootstrapWorker(config);
await worker.startJobQueue();
await worker.startHealthCheckServer({
  hostname: '127.0.0.1',
  port: Number(process.env.HEALTH_PORT),
});
