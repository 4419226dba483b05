/** Starts one replica of the availability app. */
import { runApp } from '@onepool/platform-app';
import { AVAILABILITY_APP } from './availability-app.ts';

await runApp(AVAILABILITY_APP);
