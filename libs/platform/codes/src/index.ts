export {
  CODE_EXPECTATION,
  CODE_LENGTH_MAX,
  CODE_TEXT_LENGTH_MAX,
  isTooLong,
  readCode,
  readCodePrefix,
} from './read-code.ts';
