import { loadConfig, telemetryVariables } from '../../config.js';
import type { Telemetry } from './types.js';

let active: Telemetry | undefined;

/** Undefined if telemetry is not enabled; OpenTelemetry's SDK is not loaded then. */
export const telemetry = (): Telemetry | undefined => active;

/** Enables traces and logs if `OTEL_EXPORTER_OTLP_ENDPOINT` is set. */
export async function startTelemetry(service: string, env = process.env): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = loadConfig(telemetryVariables, env);
  if (!endpoint) return;
  const { createTelemetry } = await import('./sdk.js');
  active = createTelemetry(service, endpoint.replace(/\/$/, ''));
}
