package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kangma/kangma/api"
)

// busyness gives Prometheus how full the HTTP surface is.
type busyness struct{ load func() api.Load }

var (
	descRunning = desc("requests_running", "Requests under way.")
	descWaiting = desc("requests_waiting", "Requests that wait to be let in.")
	descRefused = desc("requests_refused_total", "Requests told to come again, by whom they were for.", "class")
	descConns   = desc("connections_open", "Connections open.")
	descAway    = desc("connections_refused_total", "Connections refused before their request was read.")
	descShut    = desc("door_shut_total", "Times that nobody was accepted, not even to be refused, since refusing took its share of the processor.")
)

// Describe is Prometheus' way to ask what there is.
func (b busyness) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descRunning, descWaiting, descRefused, descConns, descAway, descShut} {
		ch <- d
	}
}

// Collect is Prometheus' way to ask for the figures.
func (b busyness) Collect(ch chan<- prometheus.Metric) {
	l := b.load()
	ch <- prometheus.MustNewConstMetric(descRunning, prometheus.GaugeValue, float64(l.Running))
	ch <- prometheus.MustNewConstMetric(descWaiting, prometheus.GaugeValue, float64(l.Waiting))
	ch <- prometheus.MustNewConstMetric(descConns, prometheus.GaugeValue, float64(l.Connections))
	ch <- prometheus.MustNewConstMetric(descAway, prometheus.CounterValue, float64(l.TurnedAway))
	ch <- prometheus.MustNewConstMetric(descShut, prometheus.CounterValue, float64(l.DoorShut))
	for class, n := range l.Refused {
		ch <- prometheus.MustNewConstMetric(descRefused, prometheus.CounterValue, float64(n), class)
	}
}
