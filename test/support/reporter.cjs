// Mocha's spec reporter, plus the counts as JSON in $CTX_TEST_RESULT and the skipped tests by name at the end: what did not
// run, or needed a second try on a busy machine, is said, never passed over.
const fs = require('node:fs');
const Mocha = require('mocha');

module.exports = class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on('pending', (test) => skipped.push(test.fullTitle()));
    const retried = [];
    runner.on('retry', (test, error) => retried.push(`${test.fullTitle()} (${error.message.split('\n')[0]})`));
    runner.once('end', () => {
      for (const title of retried) console.log(`  needed a second try: ${title}`);
      for (const title of skipped) console.log(`  not run: ${title}`);
      const { passes, failures } = runner.stats;
      if (process.env.CTX_TEST_RESULT) {
        fs.writeFileSync(
          process.env.CTX_TEST_RESULT,
          JSON.stringify({ passed: passes, failed: failures, skipped: skipped.length }),
        );
      }
    });
  }
};
