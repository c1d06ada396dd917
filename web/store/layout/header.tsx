import { useLocation } from 'preact-iso';
import { cartUnits } from '../cart/cart-units.js';
import { SearchField } from '../pages/products/search-field.jsx';
import { currentUser } from '../session/stored-session.js';
import { count } from '../ui/format.js';

/** Name of the store, search, and the ways to cart, orders and account. */
export function Header() {
  const user = currentUser.value;
  return (
    <header class="site-header">
      <div class="site-header-inner">
        <a href="/" class="brand" aria-label="Holdfast: all products">
          <svg viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
            <rect width="32" height="32" rx="8" class="brand-tile" />
            <path d="M9 25V7M23 25V7M9 16c5-5 9 5 14 0" class="brand-mark" />
          </svg>
          <span class="brand-name">Holdfast</span>
        </a>
        <SearchField />
        <nav aria-label="Store" class="site-nav">
          <NavLink href="/cart" label="Cart">
            {user && cartUnits.value > 0 && (
              <>
                <span class="count" aria-hidden="true">
                  {cartUnits.value}
                </span>
                <span class="visually-hidden">, {count(cartUnits.value, 'unit')}</span>
              </>
            )}
          </NavLink>
          {user ? (
            <>
              <NavLink href="/orders" label="Orders" />
              <NavLink href="/account" label={firstName(user.name)} title="Account" />
            </>
          ) : (
            <NavLink href="/login" label="Log in" />
          )}
        </nav>
      </div>
    </header>
  );
}

const nameMaxLength = 12;
function firstName(name: string): string {
  const [first = name] = name.trim().split(/\s+/);
  return first.length > nameMaxLength
    ? `${[...first].slice(0, nameMaxLength - 1).join('')}…`
    : first;
}

interface NavLinkProps {
  readonly href: string;
  readonly label: string;
  readonly title?: string;
  readonly children?: preact.ComponentChildren;
}

function NavLink({ href, label, title, children }: NavLinkProps) {
  const { path } = useLocation();
  const isHere = path === href || path.startsWith(`${href}/`);
  return (
    <a href={href} class="nav-link" aria-current={isHere ? 'page' : undefined}>
      {title && <span class="visually-hidden">{title}: </span>}
      {label}
      {children}
    </a>
  );
}
