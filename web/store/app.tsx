import { LocationProvider, Route, Router } from 'preact-iso';
import { ConnectionBanner } from './layout/connection-banner.jsx';
import { Footer } from './layout/footer.jsx';
import { Header } from './layout/header.jsx';
import { ScrollToTop } from './layout/scroll-to-top.jsx';
import { AccountPage } from './pages/account/account-page.jsx';
import { CartPage } from './pages/cart/cart-page.jsx';
import { CheckoutPage } from './pages/checkout/checkout-page.jsx';
import { LoginPage } from './pages/login/login-page.jsx';
import { NotFoundPage } from './pages/not-found-page.jsx';
import { OrderPage } from './pages/order/order-page.jsx';
import { OrdersPage } from './pages/orders/orders-page.jsx';
import { ProductPage } from './pages/product/product-page.jsx';
import { ProductsPage } from './pages/products/products-page.jsx';

/** Links of the explorers leave the store. */
const ownPaths = /^\/(?!graphi?ql(\/|$|\?))/;

export function App() {
  return (
    <LocationProvider scope={ownPaths}>
      <a class="skip-link" href="#content">
        Skip to the content
      </a>
      <ScrollToTop />
      <Header />
      <ConnectionBanner />
      <main id="content" tabIndex={-1}>
        <Router>
          <Route path="/" component={ProductsPage} />
          <Route path="/products/:slug" component={ProductPage} />
          <Route path="/cart" component={CartPage} />
          <Route path="/checkout" component={CheckoutPage} />
          <Route path="/orders" component={OrdersPage} />
          <Route path="/orders/:id" component={OrderPage} />
          <Route path="/login" component={LoginPage} />
          <Route path="/account" component={AccountPage} />
          <Route default component={NotFoundPage} />
        </Router>
      </main>
      <Footer />
    </LocationProvider>
  );
}
