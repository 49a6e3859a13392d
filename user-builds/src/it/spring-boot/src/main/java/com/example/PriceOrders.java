package com.example;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import java.util.List;
import org.springframework.stereotype.Component;

/** Adds the price to each article of an order. */
@Component
public class PriceOrders implements MapStreamer {

  private final Prices prices;

  PriceOrders(Prices prices) {
    this.prices = prices;
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    for (String article : datum.text().split(",")) {
      sink.emit(Message.of(article + "=" + prices.of(article)));
    }
  }
}
