// Command collector is a real OpenTelemetry Collector with the components the
// real-client tests need, written by hand so that go.sum pins everything.
package main

import (
	"log"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/opampextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/forwardconnector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/nopreceiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

const (
	core    = "go.opentelemetry.io/collector/"
	contrib = "github.com/open-telemetry/opentelemetry-collector-contrib/"
	beta    = " v0.149.0"
)

func main() {
	command := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{
			Command: "collector", Description: "Collector for Tidegate's tests", Version: "0.149.0",
		},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				ProviderFactories: []confmap.ProviderFactory{
					envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory(),
				},
				DefaultScheme: "env",
			},
		},
	})
	if err := command.Execute(); err != nil {
		log.Fatal(err)
	}
}

// factories names each component and the module it comes from: without the module
// maps the opamp extension reports no available components.
func factories() (all otelcol.Factories, err error) {
	all.Telemetry = telemetryOnAnyPort()
	all.ReceiverModules = map[component.Type]string{}
	all.ProcessorModules = map[component.Type]string{}
	all.ExporterModules = map[component.Type]string{}
	all.ExtensionModules = map[component.Type]string{}
	all.ConnectorModules = map[component.Type]string{}
	if all.Receivers, err = add(all.ReceiverModules, map[string]receiver.Factory{
		core + "receiver/otlpreceiver" + beta:           otlpreceiver.NewFactory(),
		core + "receiver/nopreceiver" + beta:            nopreceiver.NewFactory(),
		contrib + "receiver/hostmetricsreceiver" + beta: hostmetricsreceiver.NewFactory(),
	}); err != nil {
		return all, err
	}
	if all.Processors, err = add(all.ProcessorModules, map[string]processor.Factory{
		core + "processor/batchprocessor" + beta:         batchprocessor.NewFactory(),
		core + "processor/memorylimiterprocessor" + beta: memorylimiterprocessor.NewFactory(),
	}); err != nil {
		return all, err
	}
	if all.Exporters, err = add(all.ExporterModules, map[string]exporter.Factory{
		core + "exporter/debugexporter" + beta:    debugexporter.NewFactory(),
		core + "exporter/nopexporter" + beta:      nopexporter.NewFactory(),
		core + "exporter/otlphttpexporter" + beta: otlphttpexporter.NewFactory(),
	}); err != nil {
		return all, err
	}
	if all.Connectors, err = add(all.ConnectorModules, map[string]connector.Factory{
		core + "connector/forwardconnector" + beta: forwardconnector.NewFactory(),
	}); err != nil {
		return all, err
	}
	all.Extensions, err = add(all.ExtensionModules, map[string]extension.Factory{
		contrib + "extension/healthcheckextension" + beta: healthcheckextension.NewFactory(),
		contrib + "extension/opampextension" + beta:       opampextension.NewFactory(),
	})
	return all, err
}

func add[T component.Factory](modules map[component.Type]string, from map[string]T) (map[component.Type]T, error) {
	list := make([]T, 0, len(from))
	for module, factory := range from {
		modules[factory.Type()] = module
		list = append(list, factory)
	}
	return otelcol.MakeFactoryMap(list...)
}

// telemetryOnAnyPort is the stock telemetry with a Prometheus port chosen by the system: the
// stock default of localhost:8888 lets only one supervised collector start on a host.
func telemetryOnAnyPort() telemetry.Factory {
	stock := otelconftelemetry.NewFactory()
	return telemetry.NewFactory(func() component.Config {
		config := stock.CreateDefaultConfig().(*otelconftelemetry.Config)
		port := 0
		config.Metrics.Readers[0].Pull.Exporter.Prometheus.Port = &port
		return config
	},
		telemetry.WithCreateResource(stock.CreateResource),
		telemetry.WithCreateLogger(stock.CreateLogger),
		telemetry.WithCreateMeterProvider(stock.CreateMeterProvider),
		telemetry.WithCreateTracerProvider(stock.CreateTracerProvider),
	)
}
