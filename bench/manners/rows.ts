/** Lines of the request log: none, as many as in production, or one for each request. */
export const logRows = ['none', 'production', 'all'] as const;
export type LogRow = (typeof logRows)[number];
