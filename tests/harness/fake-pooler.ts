import { byTcp } from './databases.js';
import { endTogether, startTcpProxy } from './tcp-proxy.js';

/** What stands before PostgreSQL. */
export type Before =
  /** PgBouncer as it is: it refuses parameters that it does not know */
  | 'refuses parameters'
  /** PgBouncer with `ignore_startup_parameters` */
  | 'drops parameters'
  /** PostgreSQL 15 */
  | 'is PostgreSQL 15'
  /** the connection is lost while it is checked */
  | 'cuts'
  /** it never answers the check */
  | 'is silent'
  | 'forwards';

const known = ['user', 'database', 'client_encoding', 'application_name'];
const parameterError = '08P01';
const unknownParameter = '42704';

/** A server before PostgreSQL that behaves as a pooler or an old version does at the start of a connection. */
export async function startFakePooler(databaseUrl: string, before: Before) {
  const target = byTcp(databaseUrl);
  let mode = before;
  const proxy = await startTcpProxy((client, dial) => {
    const upstream = dial(target);
    endTogether(client, upstream);
    client.once('data', (startup) => {
      const parameters = parametersOf(startup);
      const foreign = Object.keys(parameters).filter((name) => !known.includes(name));
      if (mode === 'refuses parameters' && foreign.length > 0) {
        client.end(fatal(parameterError, `unsupported startup parameter: ${foreign[0]}`));
        return;
      }
      if (mode === 'is PostgreSQL 15' && parameters.options?.includes('transaction_timeout')) {
        const message = 'unrecognized configuration parameter "transaction_timeout"';
        client.end(fatal(unknownParameter, message));
        return;
      }
      upstream.write(mode === 'drops parameters' ? startupOf(parameters) : startup);
      client.on('data', (data) => {
        const isCheck = data.includes('server_version_num');
        if (isCheck && mode === 'cuts') upstream.destroy();
        else if (!isCheck || mode !== 'is silent') upstream.write(data);
      });
    });
    upstream.on('data', (data) => {
      client.write(mode === 'is PostgreSQL 15' ? asPostgres15(data) : data);
    });
  });
  const url = byTcp(databaseUrl, proxy.port);
  return {
    url: url.href,
    host: url.host,
    /** Closes all connections; further ones go through `next`. */
    become(next: Before) {
      mode = next;
      proxy.closeAll();
    },
    stop: () => proxy.stop(),
  };
}

const headerBytes = 8;

function parametersOf(startup: Buffer): Record<string, string> {
  const fields = startup.subarray(headerBytes).toString('utf8').split('\0');
  const pairs: [string, string][] = [];
  for (let n = 0; fields[n]; n += 2) pairs.push([fields[n] as string, fields[n + 1] as string]);
  return Object.fromEntries(pairs);
}

/** The message that starts a connection, with the parameters that PgBouncer knows. */
function startupOf(parameters: Record<string, string>): Buffer {
  const kept = Object.entries(parameters).filter(([name]) => known.includes(name));
  const body = Buffer.from(`${kept.flat().join('\0')}\0\0`);
  const header = Buffer.alloc(headerBytes);
  header.writeInt32BE(headerBytes + body.length);
  header.writeInt32BE(3 << 16, 4); // version 3.0 of the protocol
  return Buffer.concat([header, body]);
}

function fatal(code: string, message: string): Buffer {
  const fields = ['SFATAL', 'VFATAL', `C${code}`, `M${message}`];
  const body = Buffer.from(`${fields.join('\0')}\0\0`);
  const header = Buffer.alloc(5);
  header.write('E');
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

/** The number of the version in an answer, as text of the same length. */
const asPostgres15 = (data: Buffer) =>
  Buffer.from(data.toString('latin1').replaceAll(/\b1[789]00\d\d\b/g, '150013'), 'latin1');
