// allowed
export * from '@onepool/contracts';
export * from '@onepool/testing-servers';

console.log('seeded');
