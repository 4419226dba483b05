// breaks no-console
// Unexpected console statement.
console.log('up');
