/**
 * Real places in the continental US for the demo network.
 *
 * Stores: coordinates and city names from `1962_2006_walmart_store_openings.csv` (github.com/plotly/datasets, MIT).
 * The others: ZIP code coordinates from GeoNames (CC BY 4.0, geonames.org) by way of github.com/midwire/free_zipcode_data
 * (MIT). Selected for their spread; the time zones are ours.
 */
export interface Place {
  readonly city: string;
  readonly state: string;
  readonly lat: number;
  readonly lng: number;
  /** IANA name. */
  readonly timeZone: string;
}

export const STORE_PLACES: readonly Place[] = [
  { city: 'Rogers', state: 'AR', lat: 36.34224, lng: -94.07141, timeZone: 'America/Chicago' },
  { city: 'Dallas', state: 'TX', lat: 32.91222, lng: -96.73688, timeZone: 'America/Chicago' },
  { city: 'Houston', state: 'TX', lat: 29.98467, lng: -95.52887, timeZone: 'America/Chicago' },
  { city: 'San Antonio', state: 'TX', lat: 29.5813, lng: -98.40889, timeZone: 'America/Chicago' },
  { city: 'Phoenix', state: 'AZ', lat: 33.47249, lng: -112.1875, timeZone: 'America/Phoenix' },
  { city: 'Tucson', state: 'AZ', lat: 32.21329, lng: -110.82559, timeZone: 'America/Phoenix' },
  { city: 'San Diego', state: 'CA', lat: 32.7603, lng: -117.07031, timeZone: 'America/Los_Angeles' },
  { city: 'Sacramento', state: 'CA', lat: 38.47751, lng: -121.44561, timeZone: 'America/Los_Angeles' },
  { city: 'Las Vegas', state: 'NV', lat: 36.17274, lng: -115.05795, timeZone: 'America/Los_Angeles' },
  { city: 'Reno', state: 'NV', lat: 39.52309, lng: -119.89808, timeZone: 'America/Los_Angeles' },
  { city: 'Boise', state: 'ID', lat: 43.57267, lng: -116.29527, timeZone: 'America/Boise' },
  { city: 'Albuquerque', state: 'NM', lat: 35.1353, lng: -106.52223, timeZone: 'America/Denver' },
  { city: 'Omaha', state: 'NE', lat: 41.34808, lng: -96.04609, timeZone: 'America/Chicago' },
  { city: 'Kansas City', state: 'MO', lat: 38.96981, lng: -94.47256, timeZone: 'America/Chicago' },
  { city: 'Charlotte', state: 'NC', lat: 35.1078, lng: -80.82139, timeZone: 'America/New_York' },
  { city: 'New Orleans', state: 'LA', lat: 30.03347, lng: -89.97736, timeZone: 'America/Chicago' },
  { city: 'Nashville', state: 'TN', lat: 36.15132, lng: -86.8559, timeZone: 'America/Chicago' },
  { city: 'Louisville', state: 'KY', lat: 38.0856, lng: -85.66979, timeZone: 'America/Kentucky/Louisville' },
  { city: 'Indianapolis', state: 'IN', lat: 39.69775, lng: -86.39589, timeZone: 'America/Indiana/Indianapolis' },
  { city: 'Milwaukee', state: 'WI', lat: 43.07206, lng: -87.9103, timeZone: 'America/Chicago' },
  { city: 'Columbus', state: 'OH', lat: 39.89769, lng: -82.96969, timeZone: 'America/New_York' },
  { city: 'Atlanta', state: 'GA', lat: 33.94275, lng: -84.31769, timeZone: 'America/New_York' },
  { city: 'Miami', state: 'FL', lat: 25.77798, lng: -80.29718, timeZone: 'America/New_York' },
  { city: 'Philadelphia', state: 'PA', lat: 40.01736, lng: -75.08769, timeZone: 'America/New_York' },
];

export const WAREHOUSE_PLACES: readonly Place[] = [
  { city: 'Carlisle', state: 'PA', lat: 40.2, lng: -77.18, timeZone: 'America/New_York' },
  { city: 'Dallas', state: 'TX', lat: 32.76727, lng: -96.77763, timeZone: 'America/Chicago' },
  { city: 'Redlands', state: 'CA', lat: 34.15357, lng: -116.89823, timeZone: 'America/Los_Angeles' },
];

export const THIRD_PARTY_PLACES: readonly Place[] = [
  { city: 'Fernley', state: 'NV', lat: 39.48921, lng: -119.19664, timeZone: 'America/Los_Angeles' },
];

export const DROPSHIP_PLACES: readonly Place[] = [
  { city: 'Sumner', state: 'WA', lat: 47.17697, lng: -122.15982, timeZone: 'America/Los_Angeles' },
  { city: 'New Castle', state: 'DE', lat: 39.59289, lng: -75.65147, timeZone: 'America/New_York' },
];
