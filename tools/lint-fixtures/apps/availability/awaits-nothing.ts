// breaks @typescript-eslint/await-thenable
// Unexpected `await` of a non-Promise (non-"Thenable") value.
export async function two(): Promise<number> {
  const one = await 1;
  return one + 1;
}
