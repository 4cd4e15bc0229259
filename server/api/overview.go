package api

type OverviewBook interface{}

type overviewScreen struct{ book OverviewBook }
