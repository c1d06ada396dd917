import { type Html, html } from '../pages/html.js';
import type { Page } from '../pages/page.js';
import type { ShownMessage } from './inbox.js';

const refreshSeconds = 5;

export interface MessagesView {
  /** newest first */
  readonly messages: readonly ShownMessage[];
  /** the filter; '' for none */
  readonly to: string;
  /** whether the browser loads the page again by itself */
  readonly isRefreshing: boolean;
}

const shownTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** The page of `GET /`. */
export function messagesPage({ messages, to, isRefreshing }: MessagesView): Page {
  const body = html`
<p>Messages of Holdfast to phones and e-mail addresses, newest first. The last 100 are kept in memory, for development.</p>
<p>${refreshNote(to, isRefreshing)}</p>
${to ? html`<p>Only messages to ${to}. <a href="/">Show all</a></p>` : ''}
${
  messages.length > 0
    ? html`<ol>${messages.map(entry)}</ol>`
    : html`<p><strong>No messages yet.</strong></p>`
}`;
  return { status: 200, title: 'Messages', body, ...(isRefreshing && { refreshSeconds }) };
}

function refreshNote(to: string, isRefreshing: boolean): Html {
  const address = (more: Record<string, string>) =>
    `/?${new URLSearchParams({ ...(to && { to }), ...more })}`;
  return isRefreshing
    ? html`The page reloads every ${refreshSeconds} seconds. <a href="${address({})}">Stop reloading</a>`
    : html`The page does not reload. <a href="${address({ refresh: 'on' })}">Reload every ${refreshSeconds} seconds</a>`;
}

function entry({ channel, to, subject, text, receivedAt, code }: ShownMessage): Html {
  const filter = `/?${new URLSearchParams({ to })}`;
  return html`
<li>
<h2><a href="${filter}">${to}</a></h2>
<p>${channel === 'sms' ? 'SMS' : 'E-mail'}, <time datetime="${receivedAt}">${shownTime.format(new Date(receivedAt))}</time></p>
${code ? html`<p class="code">${code}</p>` : ''}
${subject ? html`<p><strong>${subject}</strong></p>` : ''}
<p>${text}</p>
</li>`;
}
