// All are sticky, and none repeats a group: that overflows the regular expression engine on some megabytes.
const quantifier = /[*+?]|\{([0-9]{1,5})(?:,([0-9]{0,5}))?\}/y;
const groupStart = /\((?:\?(?:[:=!|>]|<[=!])?|\*[a-z])?/y;
const verbOrComment = /\((?:\*[A-Z:]|\?#)[^)]*/y;
// In extended mode anything may stand in a comment, and so it may in the text of a callout.
const unreadable = /\(\?(?:C|[A-Za-z^-]*x)/y;
const classStart = /\[\^?\]?/y;
const posixClass = /\[:\^?[a-z]*:\]/y;

/**
 * Finds what no regular expression of PCRE can have (STIX 2.1 §9.6.1, MATCHES): a group or a class that is not closed,
 * a quantifier that has nothing to repeat or its numbers in the wrong order, an escape that is cut off. Whatever else
 * PCRE refuses, or refuses in some version, is taken. One pass; nothing is compiled.
 * @returns the rest of a sentence that begins with the expression, or undefined
 */
export function findRegexFault(expression: string): string | undefined {
  let openGroups = 0;
  let isRepeatable = false;
  for (let at = 0; at < expression.length; ) {
    const wasRepeatable = isRepeatable;
    isRepeatable = true;
    switch (expression[at]) {
      case '\\':
        at = endOfEscape(expression, at);
        if (at > expression.length) return 'ends within an escape';
        break;
      case '[':
        at = endOfClass(expression, at);
        if (at > expression.length) return 'has a character class that is not closed by ]';
        break;
      case '(': {
        if (matchAt(unreadable, expression, at)) return undefined;
        openGroups += 1;
        const passedOver = matchAt(verbOrComment, expression, at);
        const [opening] = passedOver ?? (matchAt(groupStart, expression, at) as RegExpExecArray);
        at += opening.length;
        // What follows (? without being named in groupStart, such as a name or a flag, is read like content.
        isRepeatable = passedOver !== null || opening === '(?';
        break;
      }
      case ')':
        if (openGroups === 0) return 'has a ) that closes no group';
        openGroups -= 1;
        at += 1;
        break;
      case '|':
        isRepeatable = false;
        at += 1;
        break;
      case '*':
      case '+':
      case '?':
      case '{': {
        const [repetition, least, most] = matchAt(quantifier, expression, at) ?? [];
        if (repetition && !wasRepeatable) return `has ${repetition} where there is nothing to repeat`;
        if (least && most && Number(least) > Number(most)) return `has ${repetition}, whose numbers must be in order`;
        at += repetition?.length ?? 1;
        break;
      }
      default:
        at += 1;
    }
  }
  return openGroups > 0 ? 'has a group that is not closed by )' : undefined;
}

// Past the end of the expression where it is cut off.
function endOfEscape(expression: string, at: number): number {
  const escaped = expression[at + 1];
  if (escaped === 'Q') {
    const end = expression.indexOf('\\E', at + 2);
    return end < 0 ? expression.length : end + 2;
  }
  return at + (escaped === 'c' ? 3 : 2);
}

// Past the end of the expression where it is not closed. The first ] in a class is one of its characters.
function endOfClass(expression: string, from: number): number {
  let at = from + (matchAt(classStart, expression, from)?.[0].length ?? 0);
  while (at < expression.length) {
    const character = expression[at];
    if (character === ']') return at + 1;
    if (character === '\\') at = endOfEscape(expression, at);
    else at += (character === '[' && matchAt(posixClass, expression, at)?.[0].length) || 1;
  }
  return Number.POSITIVE_INFINITY;
}

function matchAt(form: RegExp, text: string, at: number): RegExpExecArray | null {
  form.lastIndex = at;
  return form.exec(text);
}
