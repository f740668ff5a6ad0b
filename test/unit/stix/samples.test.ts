import { it } from 'vitest';
import { canonical, expectNothing, samples } from '../../support/judging.ts';
import { domainSamples } from '../../support/samples/domain-objects.ts';
import { metaSamples } from '../../support/samples/meta-objects.ts';
import { observableSamples } from '../../support/samples/observables.ts';

it.each([...samples, ...canonical])('$type $id is valid by both policies, and nothing is to be said of it', sample => {
  expectNothing(sample);
});

it('the samples as they are written are valid too', () => {
  for (const sample of [...domainSamples, ...metaSamples, ...observableSamples]) expectNothing(sample);
});
