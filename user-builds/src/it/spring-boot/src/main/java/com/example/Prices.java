package com.example;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/** Calls the price service. One instance serves all datums: its HTTP client is thread-safe. */
@Component
public class Prices implements AutoCloseable {

  private final HttpClient client = HttpClient.newHttpClient();
  private final String service;

  Prices(@Value("${prices.url}") String service) {
    this.service = service;
  }

  /** Returns the price of an article in cents. */
  public String of(String article) throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(URI.create(service + "/" + article)).build();
    var response = client.send(request, BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IOException("no price of " + article + ": status " + response.statusCode());
    }
    return response.body();
  }

  /** Called by Spring after the server has been closed. */
  @Override
  public void close() {
    client.close();
  }
}
