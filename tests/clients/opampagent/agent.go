package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/open-telemetry/opamp-go/client"
	"github.com/open-telemetry/opamp-go/client/types"
	"github.com/open-telemetry/opamp-go/protobufs"
)

// agent owns one opamp-go client at a time and what it would have on disk.
type agent struct {
	options
	first connection

	lock      sync.Mutex
	client    client.OpAMPClient
	uid       uuid.UUID
	now       connection
	config    *protobufs.AgentConfigMap
	status    *protobufs.RemoteConfigStatus
	health    *protobufs.ComponentHealth
	packages  *packageStore
	applied   []byte // hash of the last config it took
	csrKey    []byte // PEM of the key made for the last certificate request
	offered   []byte // hash of the last connection settings offer
	connected chan struct{}
}

type quietLogger struct{ *log.Logger }

func (quietLogger) Debugf(context.Context, string, ...any) {}
func (l quietLogger) Errorf(_ context.Context, format string, v ...any) {
	l.Printf(format, v...)
}

func newAgent(o options, uid uuid.UUID) (*agent, error) {
	first, err := connectionFromFiles(o)
	if err != nil {
		return nil, err
	}
	return &agent{
		options: o, first: first, uid: uid,
		health: &protobufs.ComponentHealth{
			Healthy: true, Status: "StatusOK", StartTimeUnixNano: uint64(time.Now().UnixNano()),
			ComponentHealthMap: map[string]*protobufs.ComponentHealth{
				"pipeline:test": {Healthy: true, Status: "StatusOK"},
			},
		},
		packages: newPackageStore(o.packageDir),
	}, nil
}

func (a *agent) uidText() string {
	a.lock.Lock()
	defer a.lock.Unlock()
	return hex.EncodeToString(a.uid[:])
}

func (a *agent) has(bit protobufs.AgentCapabilities) bool { return a.capabilities&uint64(bit) != 0 }

// start connects a new client. status is what it reports about the connection settings.
func (a *agent) start(to connection, status *protobufs.ConnectionSettingsStatus) error {
	logger := quietLogger{log.New(os.Stderr, "", log.Lmicroseconds)}
	c := client.OpAMPClient(client.NewWebSocket(logger))
	if strings.HasPrefix(to.url, "http") {
		c = client.NewHTTP(logger)
	}
	if err := c.SetAgentDescription(a.description()); err != nil {
		return err
	}
	if !a.noHealth && a.has(protobufs.AgentCapabilities_AgentCapabilities_ReportsHealth) {
		if err := c.SetHealth(a.health); err != nil {
			return err
		}
	}
	if a.has(protobufs.AgentCapabilities_AgentCapabilities_ReportsAvailableComponents) {
		if err := c.SetAvailableComponents(someComponents()); err != nil {
			return err
		}
	}
	if a.customCapab != "" {
		names := &protobufs.CustomCapabilities{Capabilities: []string{a.customCapab}}
		if err := c.SetCustomCapabilities(names); err != nil {
			return err
		}
	}
	a.lock.Lock()
	a.client, a.now, a.connected = c, to, make(chan struct{}, 1)
	settings := types.StartSettings{
		OpAMPServerURL: to.url, Header: to.header, TLSConfig: to.tls,
		InstanceUid: types.InstanceUid(a.uid), Callbacks: a.callbacks(a.connected),
		RemoteConfigStatus: a.status, LastConnectionSettingsStatus: status,
		// SetCapabilities before Start refuses the package bits, this deprecated field does not.
		Capabilities: protobufs.AgentCapabilities(a.capabilities),
	}
	a.lock.Unlock()
	if a.has(protobufs.AgentCapabilities_AgentCapabilities_AcceptsPackages) {
		settings.PackagesStateProvider = a.packages
		second := time.Second
		settings.DownloadReporterInterval = &second
	}
	if to.heartbeat > 0 {
		settings.HeartbeatInterval = &to.heartbeat
	}
	return c.Start(context.Background(), settings)
}

func (a *agent) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := a.current().Stop(ctx); err != nil {
		emit("stop_failed", map[string]any{"error": err.Error()})
	}
}

func (a *agent) current() client.OpAMPClient {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.client
}

func attributes(values map[string]string) (list []*protobufs.KeyValue) {
	for key, value := range values {
		list = append(list, &protobufs.KeyValue{Key: key, Value: &protobufs.AnyValue{
			Value: &protobufs.AnyValue_StringValue{StringValue: value},
		}})
	}
	return list
}

func (a *agent) description() *protobufs.AgentDescription {
	identifying := map[string]string{
		"service.name": a.name, "service.version": a.version, "service.instance.id": a.uid.String(),
	}
	for key, value := range a.identifying {
		identifying[key] = value
	}
	return &protobufs.AgentDescription{
		IdentifyingAttributes:    attributes(identifying),
		NonIdentifyingAttributes: attributes(a.labels),
	}
}

func someComponents() *protobufs.AvailableComponents {
	kind := func(names ...string) *protobufs.ComponentDetails {
		sub := map[string]*protobufs.ComponentDetails{}
		for _, name := range names {
			sub[name] = &protobufs.ComponentDetails{Metadata: attributes(
				map[string]string{"code.namespace": "example.test/" + name + " v1.0.0"})}
		}
		return &protobufs.ComponentDetails{SubComponentMap: sub}
	}
	return &protobufs.AvailableComponents{
		Hash: []byte("opampagent-components-1"),
		Components: map[string]*protobufs.ComponentDetails{
			"receivers": kind("otlp", "nop"), "processors": kind("batch"),
			"exporters": kind("debug", "nop"), "extensions": kind("health_check"),
		},
	}
}

// obey does one command from standard input.
func (a *agent) obey(c command) error {
	switch c.Do {
	case "health":
		a.health = &protobufs.ComponentHealth{
			Healthy: c.Healthy, LastError: c.Error, Status: c.Status,
			StartTimeUnixNano: a.health.StartTimeUnixNano, ComponentHealthMap: a.health.ComponentHealthMap,
		}
		return a.current().SetHealth(a.health)
	case "config_status":
		hash, err := hex.DecodeString(c.Hash)
		if err != nil {
			return err
		}
		value, known := protobufs.RemoteConfigStatuses_value["RemoteConfigStatuses_"+c.Status]
		if !known {
			return fmt.Errorf("no status %q", c.Status)
		}
		return a.report(hash, protobufs.RemoteConfigStatuses(value), c.Error)
	case "labels":
		a.labels = c.Labels
		return a.current().SetAgentDescription(a.description())
	case "custom":
		_, err := a.current().SendCustomMessage(&protobufs.CustomMessage{
			Capability: c.Capability, Type: c.Type, Data: []byte(c.Data)})
		return err
	case "request_certificate":
		return a.requestCertificate(c.CommonName)
	}
	return fmt.Errorf("no command %q", c.Do)
}
