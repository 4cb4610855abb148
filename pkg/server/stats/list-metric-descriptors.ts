// ListMetricDescriptors: which metrics there are. The kubelet asks once, when it starts.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { BASE_LABEL_KEYS, METRIC_DESCRIPTIONS } from '../../stats/metrics/catalogue.ts';

export function listMetricDescriptors(): RuntimeServiceHandlers<Call>['listMetricDescriptors'] {
  const descriptors = METRIC_DESCRIPTIONS.map(({ name, help, labelKeys }) => ({
    name,
    help,
    labelKeys: [...BASE_LABEL_KEYS, ...labelKeys],
  }));
  return () => Promise.resolve({ descriptors });
}
