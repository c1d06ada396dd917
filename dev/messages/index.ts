import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import PostalMime from 'postal-mime';
import { ConfigError, loadConfig } from '../../subgraphs/shared/config.js';
import { sendJson } from '../../subgraphs/shared/http/http.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { runIfMain, type Service } from '../../subgraphs/shared/runtime/process.js';
import { sendPage } from '../pages/page.js';
import { host, variables } from './config.js';
import { Inbox, type ReceivedMessage } from './inbox.js';
import { startMailServer } from './mail-server.js';
import { messagesPage } from './messages-page.js';
import { createSmsGateway } from './sms-gateway.js';

/**
 * Shows the messages of Holdfast in development instead of sending them: an SMS gateway and an SMTP server
 * that keep what they receive in memory, and a page.
 *
 * - `GET /`, `GET /messages.json`: the last messages, newest first; `?to=` selects those to one address
 * - `POST /2010-04-01/Accounts/<account>/Messages.json`: Twilio's API, as the user subgraph calls it
 *
 * @throws ConfigError in production: whoever reads the messages can log in as anyone
 */
export async function startMessages(env = process.env): Promise<Service & { smtpUrl: string }> {
  if (env.NODE_ENV === 'production') {
    throw new ConfigError(['one-time codes are shown in development only, not in production']);
  }
  const config = loadConfig(variables, env);
  const inbox = new Inbox();
  const gateway = createSmsGateway({
    account: config.SMS_ACCOUNT_SID,
    token: config.SMS_AUTH_TOKEN,
    onMessage: (sms) => inbox.add({ channel: 'sms', subject: '', ...sms }),
  });
  const mail = await startMailServer({
    host,
    port: config.SMTP_PORT,
    onMail: async ({ to, raw }) => inbox.add(await readMail(to, raw)),
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isLocal(request.headers.host)) return sendJson(response, 403, { error: 'unknown host' });
    const [path, search] = request.url?.split('?', 2) ?? [];
    if (request.method === 'POST') return gateway(request, response);
    const query = new URLSearchParams(search);
    const to = addressIn(query);
    const messages = inbox.list(to);
    if (path === '/messages.json') return sendJson(response, 200, { messages });
    if (path !== '/') return sendJson(response, 404, { error: 'not found' });
    sendPage(response, messagesPage({ messages, to, isRefreshing: query.get('refresh') === 'on' }));
  }

  const server = createServer((request, response) => void serve(request, response));
  const url = await listen(server, host, config.PORT);
  const stop = async () => {
    server.closeAllConnections();
    await Promise.all([close(server), mail.close()]);
  };
  return { url, opsUrl: url, smtpUrl: `smtp://${host}:${mail.port}`, stop };
}

async function readMail(to: string, raw: Buffer): Promise<ReceivedMessage> {
  const { subject = '', text = '' } = await PostalMime.parse(raw);
  return { channel: 'email', to, subject, text: text.trim() };
}

/**
 * Other names for this machine are refused: a foreign site could let its own name lead here (DNS rebinding),
 * and read the codes in the developer's browser.
 */
const isLocal = (name = '') => /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(name);

/** `?to=`; a plus sign of a phone number that is not escaped arrives as a space. */
const addressIn = (query: URLSearchParams) =>
  (query.get('to') ?? '').replace(/^ (?=\d)/, '+').trim();

runIfMain(import.meta.url, startMessages);
