import fc from 'fast-check';

// A property that does not hold is told with what it was found with. Were the search for a smaller example to go on until the
// test's time is over, that would be told instead.
fc.configureGlobal({ interruptAfterTimeLimit: 40_000 });
