// What the readers of a page wait for: Core Web Vitals, each with the page that it belongs to.
import { createCollector } from 'bellwether/collector';
import { onCLS, onINP, onLCP } from 'web-vitals';

const { recordMetric } = createCollector({ url: 'http://127.0.0.1:4000' });

for (const listen of [onCLS, onINP, onLCP]) {
  listen(({ name, value }) => recordMetric(`web_vitals_${name.toLowerCase()}`, value, { page: location.pathname }));
}
