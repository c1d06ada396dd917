import { loadConfig, telemetryVariables } from '../../config.js';
import type { Telemetry } from './types.js';

let active: Telemetry | undefined;

/** Undefined while nothing is sent: then nothing of OpenTelemetry is asked, nor its SDK loaded. */
export const telemetry = (): Telemetry | undefined => active;

/** Sends traces and logs, if `OTEL_EXPORTER_OTLP_ENDPOINT` says where to. */
export async function startTelemetry(service: string, env = process.env): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = loadConfig(telemetryVariables, env);
  if (!endpoint) return;
  const { createTelemetry } = await import('./sdk.js');
  active = createTelemetry(service, endpoint.replace(/\/$/, ''));
}
