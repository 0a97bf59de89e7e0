// What is watched: KPIs and alert rules, and where they stand.
import type { Figure, Selection } from './query.js';
import type { Aggregation, Duration, Kind, Labels, TimestampMs } from './terms.js';

/** A figure in a board, as `board.json` writes it. */
export interface BoardQuery {
  metric: string;
  /** The samples of this span before now, such as `"5m"`. */
  window: Duration;
  agg: Aggregation;
  /** Labels to group by: a rule has an alert for each group. */
  by?: readonly string[] | undefined;
  /** Which series count; all by default. */
  where?: Selection['where'];
  /** How several series become one figure; `merge` by default. */
  across?: Selection['across'];
}

/** The first figure divided by the second, group by group. */
export interface BoardRatio {
  ratio: readonly [BoardQuery, BoardQuery];
}

/** One figure of a board, and what it should be. */
export interface Kpi {
  /** Unique in its board: letters, digits, `-`, `_` and `.`, at most 64. */
  id: string;
  /** What people call it. */
  title: string;
  /** Unit of the figure, such as `"ms"`; none by default. Changes of `"ratio"`, `"%"` and `"percent"` are told in points. */
  unit?: string | undefined;
  /** One figure: without `by`. */
  query: BoardQuery | BoardRatio;
  /** Which way is good. */
  better: 'lower' | 'higher';
  /** What the figure should be, in its unit; equality meets it. None by default. */
  target?: number | undefined;
  /** Who answers for it. */
  owner?: string | undefined;
  /** The part of the page that shows it. */
  section?: string | undefined;
}

/** A condition on a figure, and what an alert about it says. */
export interface Rule {
  /** Unique in its board; becomes the label `alertname`. */
  name: string;
  /** The figure that is judged. */
  query: BoardQuery | BoardRatio;
  /** How the figure and the threshold must stand for the condition to hold; each word means a sign. */
  is: '>' | '>=' | '<' | '<=' | 'above' | 'at_least' | 'below' | 'at_most';
  /** In the unit of the figure. */
  threshold: number;
  /** How long the condition must hold before the alert fires; at once by default. */
  for?: Duration | undefined;
  /** How long the alert goes on firing after the condition has ended; not at all by default. */
  keep_firing_for?: Duration | undefined;
  /** How far back from now the rule looks, for metrics that arrive late; not at all by default. */
  query_offset?: Duration | undefined;
  /** What a missing figure means; by default the state is kept and marked stale. */
  no_data?: 'keep' | 'resolve' | 'fire' | undefined;
  /** Who must act: somebody now, somebody in working hours, nobody. */
  severity: 'page' | 'ticket' | 'info';
  /** Labels added to each alert; none by default. */
  labels?: Labels | undefined;
  /** One sentence for people, true while the alert is still pending too. */
  summary?: string | undefined;
  /** Where to read what to do. */
  runbook?: string | undefined;
}

/** What an engine watches: the same file as the page's and the gateway's `board.json`; what is only shown is left aside. */
export interface Board {
  /** What is known of the metrics; it counts before what comes with a sample. */
  metrics?: readonly { name: string; kind: Kind; unit?: string | undefined; help?: string | undefined }[] | undefined;
  /** The figures that `Engine.kpis` tells. */
  kpis?: readonly Kpi[] | undefined;
  /** The conditions that `Engine.evaluate` judges. */
  rules?: readonly Rule[] | undefined;
  title?: string | undefined;
  /** Charts of the page; left aside. */
  panels?: readonly object[] | undefined;
  $schema?: string | undefined;
}

/** What a KPI shows. */
export interface KpiFigure extends Figure {
  id: string;
  title: string;
  /** Unit of the figure; empty where nobody has said it. */
  unit: string;
  /** Where it stands against its target; equality meets it. */
  standing: 'met' | 'not_met' | 'no_target' | 'no_figure';
  /** `null` where it has none. */
  target: number | null;
  /** The figure of the window before; `null` where that holds none or is no longer kept whole. */
  previous: number | null;
  /** The change from it, in the unit of the figure; `null` for shares, whose change is `points`. */
  change: number | null;
  /** The change in percent of the size of `previous`; `null` where that is 0, and for shares. */
  percent: number | null;
  /** The change of a share, in percentage points. */
  points: number | null;
}

/** Where an alert stands. */
export type AlertState = 'inactive' | 'pending' | 'firing' | 'resolved';

/** One alert: a rule and one group of its figure. */
export interface Alert {
  /** The name of its rule. */
  rule: string;
  /** Those of the group, those of the rule, and `alertname`. */
  labels: Labels;
  severity: Rule['severity'];
  state: AlertState;
  /** The last figure seen, once resolved the one that ended it; `null` where missing data made it fire or end. */
  value: number | null;
  /** Whether the last evaluation had no figure for it. */
  stale: boolean;
  /** When the condition began to hold. */
  activeAt: TimestampMs | null;
  /** When it began to fire; `null` before. */
  firedAt: TimestampMs | null;
  /** When it ended; `null` before. */
  resolvedAt: TimestampMs | null;
}

/** An alert that changed its state. */
export interface Transition {
  /** The alert after the change. */
  alert: Alert;
  /** What it was before. */
  from: AlertState;
  /** `inactive` where the alert is forgotten. */
  to: AlertState;
}

/** What an evaluation of the rules came to. */
export interface Evaluation {
  /** The alerts that changed. */
  transitions: Transition[];
  /** Why rules could not be evaluated; their alerts keep their states. */
  failures: string[];
}

/** The three figures of the grants office, over everything that is kept; 0 where there is nothing yet. */
export interface Scorecard {
  /** In days. */
  avg_resolution_time: number;
  /** In the points of whoever gave them. */
  avg_satisfaction: number;
  total_conflicts: number;
}
