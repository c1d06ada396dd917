import { config } from '../settings/config.js';

/** What the store promises; in development, the ways behind the scenes. */
export function Footer() {
  const { graphiql, sandbox, messages } = config.value.links;
  const links = [
    [graphiql, 'GraphiQL'],
    [sandbox, 'Apollo Sandbox'],
    [messages, 'Messages with codes'],
  ] as const;
  const shown = links.filter(([href]) => href !== undefined);
  return (
    <footer class="site-footer">
      <p>
        Stock is live. A checkout holds your units until the time to pay runs out; nothing is
        oversold.
      </p>
      {shown.length > 0 && (
        <nav aria-label="For developers">
          <span class="faint">For developers:</span>
          {shown.map(([href, label]) => (
            <a href={href} key={label} target="_blank" rel="noopener">
              {label}
            </a>
          ))}
        </nav>
      )}
    </footer>
  );
}
