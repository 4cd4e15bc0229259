package billing

// Days from So on.
var mendOpenDays = invoicedTo("02-28", []mendRow{
	{name: "open: more on So", due: "01-01:10 03-01:12", want: "S12 01-01.."},
	{name: "open: more from a day on", due: "01-01:10 03-17:12", want: "S10 01-01..; +P2 03-17.."},
	{name: "open: more in two steps", due: "01-01:10 03-05:12 03-10:15", want: "S10 01-01..; +P2 03-05..; +P3 03-10.."},
	{name: "open: one more, and one more", due: "01-01:10 03-05:11 03-10:12", want: "S10 01-01..; +P1 03-05..; +P1 03-10.."},
	{name: "open: more on So and later", due: "01-01:10 03-01:12 03-10:15", want: "S12 01-01..; +P3 03-10.."},
	{name: "open: up, then down to what stays", due: "01-01:10 03-05:15 03-10:12", want: "S10 01-01..; +P2 03-05..; +D3 03-05..03-09"},
	{name: "open: up for a while", due: "01-01:10 03-05:12 03-10:10", want: "S10 01-01..; +D2 03-05..03-09"},
	{name: "open: up for a while and up", due: "01-01:10 03-05:12 03-10:10 03-15:13", want: "S10 01-01..; +D2 03-05..03-09; +P3 03-15.."},
	{name: "open: fewer from a day on", due: "01-01:10 03-17:8", want: "S8 01-01..; +D2 03-01..03-16"},
	{name: "open: one fewer from the day after So", due: "01-01:10 03-02:9", want: "S9 01-01..; +D1 03-01..03-01"},
	{name: "open: fewer on So", due: "01-01:10 03-01:8", want: "S8 01-01.."},
	{name: "open: fewer in two steps", due: "01-01:10 03-05:8 03-10:6", want: "S6 01-01..; +D2 03-01..03-09; +D2 03-01..03-04"},
	{name: "open: one fewer, and one fewer", due: "01-01:10 03-05:9 03-10:8", want: "S8 01-01..; +D1 03-01..03-09; +D1 03-01..03-04"},
	{
		name: "open: fewer for a while, for which no dated line stands",
		due:  "01-01:10 03-05:8 03-10:10", want: "S8 01-01..; +D2 03-01..03-04; +P2 03-10..",
	},
	{name: "open: one fewer for a while", due: "01-01:10 03-05:9 03-10:10", want: "S9 01-01..; +D1 03-01..03-04; +P1 03-10.."},
	{name: "open: all but one fewer for a while", due: "01-01:10 03-05:1 03-10:10", want: "S1 01-01..; +D9 03-01..03-04; +P9 03-10.."},
	{
		name: "open: twice fewer for a while, once more than the other time",
		due:  "01-01:10 03-05:9 03-08:10 03-10:7 03-12:10", want: "S7 01-01..; +D2 03-01..03-09; +D1 03-01..03-04; +D1 03-08..03-09; +P3 03-12..",
	},
	{name: "open: nothing for a while: the standing ends, another begins", due: "01-01:10 03-05:0 03-10:10", want: "S10 01-01..03-04; +S10 03-10.."},
	{name: "open: nothing on So alone", due: "01-01:10 03-01:0 03-02:10", want: "S10 01-01..02-28; +S10 03-02.."},
	{
		name: "open: a dated line for a while is shortened, not the standing lowered",
		due:  "01-01:10 03-05:12 03-10:10", lines: "S10 01-01..; D2 03-05..03-20", want: "S10 01-01..; D2 03-05..03-09",
	},
	{
		name: "open: a dated line is too much, and the standing too",
		due:  "01-01:10 03-01:8", lines: "S10 01-01..; D2 03-05..03-09", want: "S8 01-01..; D0 03-05..03-05",
	},
	{
		name: "open: a dated line already makes up for fewer",
		due:  "01-01:10 03-17:8", lines: "S8 01-01..; D2 03-01..03-16", want: "S8 01-01..; D2 03-01..03-16",
	},
	{
		name: "open: fewer by two, of which a dated line has one",
		due:  "01-01:10 03-05:11 03-10:9", lines: "S10 01-01..; D1 03-05..03-20", want: "S9 01-01..; D1 03-05..03-09; +D1 03-01..03-09",
	},
	{name: "open: more now, fewer later", due: "01-01:10 03-01:12 03-10:8", want: "S8 01-01..; +D4 03-01..03-09"},
	{
		name: "open: fewer on So, and a pending line isn't wanted",
		due:  "01-01:10 03-01:8", lines: "S10 01-01..; P2 03-05..", want: "S8 01-01..; P0 03-05..03-05",
	},
	{
		name: "open: fewer for ever, beside a dated line that is wanted",
		due:  "01-01:10 03-01:8 03-05:10 03-10:8", lines: "S10 01-01..; D2 03-05..03-09", want: "S8 01-01..; D2 03-05..03-09",
	},
	{
		name: "open: a dated line is too much by one, and more come later",
		due:  "01-01:10 03-05:11 03-10:10 03-20:15", lines: "S10 01-01..; D2 03-05..03-09", want: "S10 01-01..; D1 03-05..03-09; +P5 03-20..",
	},
	{
		name: "open: a standing line never goes down to nothing for a while",
		due:  "01-01:10 03-05:12 03-10:2 03-13:12", lines: "S10 01-01..; P2 03-05..", want: "S10 01-01..; P2 03-05..; +D-10 03-10..03-12",
	},
	{
		name: "pending: shortened to the day before",
		due:  "01-01:10 03-10:12 03-20:10", lines: "S10 01-01..; P2 03-10..", want: "S10 01-01..; P2 03-10..03-19",
	},
	{
		name: "pending: what stays of it begins anew",
		due:  "01-01:10 03-10:12 03-20:11", lines: "S10 01-01..; P2 03-10..", want: "S10 01-01..; P2 03-10..03-19; +P1 03-20..",
	},
	{name: "pending: one that begins that day is lowered", due: "01-01:10 03-20:11", lines: "S10 01-01..; P2 03-20..", want: "S10 01-01..; P1 03-20.."},
	{name: "pending: or emptied", due: "01-01:10", lines: "S10 01-01..; P2 03-20..", want: "S10 01-01..; P0 03-20..03-20"},
	{
		name: "pending: then the standing is lowered",
		due:  "01-01:10 03-20:9", lines: "S10 01-01..; P2 03-20..", want: "S9 01-01..; +D1 03-01..03-19; P0 03-20..03-20",
	},
	{
		name: "pending: one that begins the day after is too much as well",
		due:  "01-01:10 03-19:9", lines: "S10 01-01..; P2 03-20..", want: "S9 01-01..; +D1 03-01..03-18; P0 03-20..03-20",
	},
	{
		name: "pending: the one that begins last goes first",
		due:  "01-01:10 03-05:12 03-10:15 03-20:12", lines: "S10 01-01..; P2 03-05..; P3 03-10..", want: "S10 01-01..; P2 03-05..; P3 03-10..03-19",
	},
	{
		name: "pending: of two of a day the one made last goes first",
		due:  "01-01:10 03-05:15 03-20:12", lines: "S10 01-01..; P2 03-05..; P3 03-05..", want: "S10 01-01..; P2 03-05..; P3 03-05..03-19",
	},
	{
		name: "pending: the last in part",
		due:  "01-01:10 03-05:12 03-10:15 03-20:13", lines: "S10 01-01..; P2 03-05..; P3 03-10..", want: "S10 01-01..; P2 03-05..; P3 03-10..03-19; +P1 03-20..",
	},
	{
		name: "pending: the last, and the one before in part",
		due:  "01-01:10 03-05:12 03-10:15 03-20:11", lines: "S10 01-01..; P2 03-05..; P3 03-10..", want: "S10 01-01..; P2 03-05..03-19; P3 03-10..03-19; +P1 03-20..",
	},
	{
		name: "pending: both and some of the standing",
		due:  "01-01:10 03-05:12 03-10:15 03-20:8", lines: "S10 01-01..; P2 03-05..; P3 03-10..",
		want: "S8 01-01..; +D2 03-01..03-19; P2 03-05..03-19; P3 03-10..03-19",
	},
	{name: "pending: more of the same day go to it", due: "01-01:10 03-20:15", lines: "S10 01-01..; P2 03-20..", want: "S10 01-01..; P5 03-20.."},
	{
		name: "pending: more of another day don't",
		due:  "01-01:10 03-20:12 03-21:15", lines: "S10 01-01..; P2 03-20..", want: "S10 01-01..; P2 03-20..; +P3 03-21..",
	},
	{
		name: "pending: an emptied one is never used again",
		due:  "01-01:10 03-20:12", lines: "S10 01-01..; P0 03-20..03-20", want: "S10 01-01..; P0 03-20..03-20; +P2 03-20..",
	},
	{
		name: "roll-up", it: "03-31",
		due: "01-01:10 03-17:12", billed: "01-01:10 03-17:12 04-01:0", lines: "S10 01-01..; P2 03-17..", want: "S12 01-01..; P2 03-17..03-31",
	},
	{
		name: "roll-up of two, one from the last invoiced day", it: "03-31",
		due: "01-01:10 03-17:12 03-31:13", billed: "01-01:10 03-17:12 03-31:13 04-01:0", lines: "S10 01-01..; P2 03-17..; P1 03-31..",
		want: "S13 01-01..; P2 03-17..03-31; P1 03-31..03-31",
	},
	{
		name: "roll-up of as many as stand", it: "03-31",
		due: "01-01:2 03-17:4", billed: "01-01:2 03-17:4 04-01:0", lines: "S2 01-01..; P2 03-17..", want: "S4 01-01..; P2 03-17..03-31",
	},
	{
		name: "roll-up of one that was made a day before the last invoice's end", it: "03-31",
		due: "01-01:10 03-31:12", billed: "01-01:10 03-31:12 04-01:0", lines: "S10 01-01..; P2 03-31.. yesterday", want: "S12 01-01..; P2 03-31..03-31",
	},
	{
		name: "roll-up beside a change", it: "03-31",
		due: "01-01:10 03-17:12 04-10:15", billed: "01-01:10 03-17:12 04-01:0", lines: "S10 01-01..; P2 03-17..", want: "S12 01-01..; P2 03-17..03-31; +P3 04-10..",
	},
	{
		name: "no roll-up of one that begins after the invoices", it: "03-31",
		due: "01-01:10 04-01:12", lines: "S10 01-01..; P2 04-01..", want: "S10 01-01..; P2 04-01..",
	},
	{
		name: "no roll-up of one of which days are not billed", it: "03-31",
		due: "01-01:10 03-17:12", lines: "S10 01-01..; P2 03-17.. late", want: "S10 01-01..; P2 03-17..",
	},
	{
		name: "no roll-up right after it was invoiced at once", it: "03-31", atOnce: true,
		due: "01-01:10 03-17:12", billed: "01-01:10 03-17:12 04-01:0", lines: "S10 01-01..; P2 03-17.. late", want: "S10 01-01..; P2 03-17..",
	},
	{
		name: "no roll-up of one with another price", it: "03-31",
		due: "01-01:10 03-17:12", billed: "01-01:10 03-17:12 04-01:0", lines: "S10 01-01..; P2 03-17.. dear", want: "S10 01-01..; P2 03-17..",
	},
	{
		name: "no roll-up of one that has ended", it: "03-31",
		due: "01-01:10 03-17:12 04-11:10", billed: "01-01:10 03-17:12 04-01:0", lines: "S10 01-01..; P2 03-17..04-10", want: "S10 01-01..; P2 03-17..04-10",
	},
	{
		name: "no roll-up into one of which days are not billed", it: "03-31",
		due: "01-01:2 03-10:12", billed: "01-01:2 04-01:0", lines: "P2 01-01..; S10 03-10.. late", want: "P2 01-01..; S10 03-10..",
	},
	{
		name: "a line that a person emptied ends, another begins", it: "03-31",
		due: "01-01:10", lines: "S0 01-01..", want: "S0 01-01..03-31; +S10 04-01..",
	},
	{
		name: "also one that nothing was billed of", it: "03-31",
		due: "04-10:10", billed: none, lines: "S0 04-10..", want: "S0 04-10..04-10; +S10 04-10..",
	},
	{
		name: "a pending line that a person emptied ends", it: "03-31",
		due: "01-01:10", lines: "S10 01-01..; P0 04-10..", want: "S10 01-01..; P0 04-10..04-10",
	},
})

// Lines that end, begin again, and agreements that end.
var mendEnds = invoicedTo("03-31", []mendRow{
	{name: "zero: settled", due: "01-01:10 04-01:0", want: "S10 01-01..03-31"},
	{name: "zero: settled, with a credit", due: "01-01:10 03-17:0", want: "S10 01-01..03-31; +D-10 03-17..03-31"},
	{name: "zero: open", it: "02-28", due: "01-01:10 03-17:0", want: "S10 01-01..03-16"},
	{
		name: "zero: open, after a while with more", it: "02-28",
		due: "01-01:10 03-05:12 03-17:0", lines: "S10 01-01..; P2 03-05..", want: "S10 01-01..03-16; P2 03-05..03-16",
	},
	{name: "zero: a line that nothing was billed of is emptied", it: "02-28", due: "", billed: none, lines: "S10 03-17..", want: "S0 03-17..03-17"},
	{name: "zero: a line keeps its one day", it: "02-28", due: "03-17:10 03-18:0", billed: none, lines: "S10 03-17..", want: "S10 03-17..03-17"},
	{name: "zero: it had ended before", due: "01-01:10 04-01:0", lines: "S10 01-01..03-31", want: "S10 01-01..03-31"},
	{name: "zero: what was billed beyond is credited", due: "01-01:10 03-17:0", lines: "S10 01-01..03-31", want: "S10 01-01..03-31; +D-10 03-17..03-31"},
	{name: "back: while the old standing runs its end is taken back", today: "03-20", due: "01-01:10", lines: "S10 01-01..03-31", want: "S10 01-01.."},
	{name: "back: on its last day", today: "03-31", due: "01-01:10", lines: "S10 01-01..03-31", want: "S10 01-01.."},
	{name: "back: a day later another begins", today: "04-01", due: "01-01:10", lines: "S10 01-01..03-31", want: "S10 01-01..03-31; +S10 04-01.."},
	{name: "back: with more", today: "03-20", due: "01-01:10 03-20:12", lines: "S10 01-01..03-31", want: "S12 01-01..; +D2 03-20..03-31"},
	{
		name: "back: after a day without any", today: "03-20",
		due: "01-01:10 04-01:0 04-02:10", lines: "S10 01-01..03-31", want: "S10 01-01..03-31; +S10 04-02..",
	},
	{
		name: "back: what was missing before it began is dated", it: "02-28", today: "03-15",
		due: "03-05:5", billed: none, lines: "S5 03-10..03-20", want: "S5 03-10..; +D5 03-05..03-09",
	},
	{
		name: "back: more was missing all along: another stands for it", it: "02-28", today: "03-15",
		due: "03-10:10", billed: none, lines: "S5 03-20..03-25", want: "S5 03-20..03-25; +S5 03-10..; +D5 03-10..03-19; +P5 03-26..",
	},
	{
		name: "back: days without any lie between", it: "02-28", today: "03-12",
		due: "03-10:5 03-13:0 03-15:5", billed: none, lines: "S5 03-10..03-20", want: "S5 03-10..03-12; +D5 03-15..03-20; +S5 03-21..",
	},
	{
		name: "back: an emptied line isn't opened again", it: "02-28", today: "03-15",
		due: "03-17:10", billed: none, lines: "S0 03-17..03-17", want: "S0 03-17..03-17; +S10 03-17..",
	},
	{
		name: "back: a dated line isn't opened", it: "02-28", today: "03-15",
		due: "03-10:5", billed: none, lines: "D5 03-10..03-20", want: "D5 03-10..03-20; +S5 03-21..",
	},
	{
		name: "back: a dated line already carries the day after", it: "02-28", today: "03-15",
		due: "01-01:5", billed: "01-01:5 03-01:0", lines: "S5 01-01..03-20; D5 03-21..03-21", want: "S5 01-01..03-20; D5 03-21..03-21; +S5 03-22..",
	},
	{
		name: "back: more from its first day on", it: "02-28", today: "03-15",
		due: "03-10:10", billed: none, lines: "S5 03-10..03-20", want: "S10 03-10..",
	},
	{name: "begins: one seat", it: "02-28", due: "03-17:1", billed: none, lines: none, want: "+S1 03-17.."},
	{
		name: "begins: one seat more and less", it: "02-28",
		due: "03-17:1 03-20:2 03-25:1", billed: none, lines: none, want: "+S1 03-17..; +D1 03-20..03-24",
	},
	{name: "begins: on an open day", it: "02-28", due: "03-17:10", billed: none, lines: none, want: "+S10 03-17.."},
	{name: "begins: on a settled day, to be charged late", due: "03-17:10", billed: none, lines: none, want: "+S10 03-17.."},
	{
		name: "begins: after the days that invoices have in part",
		due:  "03-17:10", billed: "03-20:4 04-01:0", lines: none, want: "+S10 04-01..; +D6 03-17..03-31; +D4 03-17..03-19",
	},
	{
		name: "begins: also where that is the last settled day",
		due:  "03-31:10", billed: "03-31:4 04-01:0", lines: none, want: "+S10 04-01..; +D6 03-31..03-31",
	},
	{
		name: "begins: after the days that invoices have whole",
		due:  "03-17:10", billed: "03-20:10 03-26:0", lines: none, want: "+S10 03-26..; +D10 03-17..03-19",
	},
	{
		name: "begins: where seats are due, not where a credit lies over nothing",
		due:  "04-10:10", billed: none, lines: "D-2 04-01..04-09", want: "+S10 04-10..; D0 04-01..04-01",
	},
	{
		name: "pending lines carry it all: they stay", it: "02-28",
		due: "01-01:10", lines: "S10 01-01..03-16; P10 03-17..", want: "S10 01-01..03-16; P10 03-17..",
	},
	{
		name: "pending lines carry it all: more goes to them", it: "02-28",
		due: "01-01:10 03-17:12", lines: "S10 01-01..02-28; D10 03-01..03-16; P10 03-17..", want: "S10 01-01..02-28; D10 03-01..03-16; P10 03-17..; +S2 03-17..",
	},
	{
		name: "pending lines carry too much: they are lowered", it: "02-28",
		due: "01-01:10 03-20:8", lines: "S10 01-01..03-16; P10 03-17..", want: "S10 01-01..03-16; P10 03-17..03-19; +P8 03-20..",
	},
	{
		name: "pending lines carry too much for a while", it: "02-28",
		due: "01-01:10 03-20:8 03-25:10", lines: "S10 01-01..03-16; P10 03-17..", want: "S10 01-01..03-16; P10 03-17..; +D-2 03-20..03-24",
	},
	{
		name: "pending lines carry it all, one of them emptied", it: "02-28",
		due: "01-01:10", lines: "S10 01-01..03-16; P0 03-05..; P4 03-17..; P6 03-17..", want: "S10 01-01..03-16; P0 03-05..03-05; P4 03-17..; P6 03-17..",
	},
	{
		name: "a standing line that ends keeps some of its seats: the rest is a credit",
		due:  "03-10:8 04-01:0", billed: none, lines: "S10 03-10..03-31 late", want: "S10 03-10..03-31; +D-2 03-10..03-31",
	},
	{name: "a standing line that ends and keeps none", due: "", billed: none, lines: "S10 03-10..03-31 late", want: "S0 03-10..03-10"},
	{
		name: "though the standing one is the younger and smaller",
		due:  "03-10:7 03-20:10 03-25:7 04-01:0", billed: none, lines: "D7 03-10..03-31 late; S3 03-20..03-31 late",
		want: "D7 03-10..03-24; +D4 03-25..03-31; S3 03-20..03-31",
	},
	{
		name: "of two standing lines that end the one which is too much is shortened",
		due:  "03-10:2 03-15:10 04-01:0", billed: none, lines: "S2 03-10..03-31 late; S10 03-15..03-31 late", want: "S2 03-10..03-14; S10 03-15..03-31",
	},
	{
		name: "a dated line is shortened before a standing one that ends",
		due:  "03-10:10 03-20:7 04-01:0", billed: none, lines: "S7 03-10..03-31 late; D3 03-10..03-31 late", want: "S7 03-10..03-31; D3 03-10..03-19",
	},
	{name: "end: the number of the last day goes on", end: "04-15", due: "01-01:10 04-10:12", want: "S10 01-01..; +P2 04-10.."},
	{name: "end: nothing changes on the last day", end: "04-15", due: "01-01:10", want: "S10 01-01.."},
	{name: "end: a change on the last day", end: "04-15", due: "01-01:10 04-15:12", want: "S10 01-01..; +P2 04-15.."},
	{name: "end: fewer on the last day", end: "04-15", due: "01-01:10 04-15:8", want: "S8 01-01..; +D2 04-01..04-14"},
	{name: "end: a change after it is none", end: "04-15", due: "01-01:10 04-16:12", want: "S10 01-01.."},
	{name: "end: invoiced to it, only settled days are mended", end: "03-31", due: "01-01:10 03-17:12", want: "S10 01-01..; +D2 03-17..03-31"},
	{name: "end: a day before it isn't invoiced", end: "04-01", due: "01-01:10 03-17:12", want: "S12 01-01..; +D2 03-17..03-31"},
})
