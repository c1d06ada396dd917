import 'reflect-metadata';
import { PerformanceObserver } from 'node:perf_hooks';

// prom-client observes garbage collection and never stops. Node keeps each observer, and with it all
// modules of the test file.
const { observe } = PerformanceObserver.prototype;
const observers = new Set<PerformanceObserver>();
PerformanceObserver.prototype.observe = function (options) {
  observers.add(this);
  observe.call(this, options);
};
afterAll(() => {
  for (const observer of observers) observer.disconnect();
  PerformanceObserver.prototype.observe = observe;
});
