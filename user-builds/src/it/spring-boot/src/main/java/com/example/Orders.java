package com.example;

import io.mapstream.MapStreamer;
import io.mapstream.server.MapStreamServer;
import io.mapstream.server.micrometer.MapStreamMetrics;
import java.util.concurrent.ExecutionException;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** A map-stream function in a Spring Boot application. */
@SpringBootApplication
public class Orders {

  /** Starts the application, and ends the process with 1 if the handler fails. */
  public static void main(String[] args) throws InterruptedException {
    var context = SpringApplication.run(Orders.class, args);
    try {
      context.getBean(MapStreamServer.class).awaitTermination();
    } catch (ExecutionException e) {
      System.exit(SpringApplication.exit(context, () -> 1));
    }
  }

  @Bean(initMethod = "start", destroyMethod = "close")
  MapStreamServer mapStreamServer(MapStreamer handler) {
    return MapStreamServer.builder(handler).build();
  }

  @Bean
  MapStreamMetrics mapStreamMetrics(MapStreamServer server) {
    return new MapStreamMetrics(server);
  }
}
