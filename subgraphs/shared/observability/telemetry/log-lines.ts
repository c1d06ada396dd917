import type { AnyValueMap, Logger } from '@opentelemetry/api-logs';

interface Line extends AnyValueMap {
  level: number;
  time: string;
  msg?: string;
}

const severityOf: Readonly<Record<number, [number, string]>> = {
  10: [1, 'TRACE'],
  20: [5, 'DEBUG'],
  30: [9, 'INFO'],
  40: [13, 'WARN'],
  50: [17, 'ERROR'],
  60: [21, 'FATAL'],
};

/** Sends log lines of pino, which are redacted already. */
export function sendLogLines(logger: Logger) {
  return (line: string): void => {
    const { level, time, msg, trace_id: _, span_id: __, ...attributes } = JSON.parse(line) as Line;
    const [severityNumber, severityText] = severityOf[level] ?? [9, 'INFO'];
    logger.emit({
      timestamp: new Date(time),
      severityNumber,
      severityText,
      body: msg ?? '',
      attributes,
    });
  };
}
